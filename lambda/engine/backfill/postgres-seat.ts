import type { BoundValue, Statement } from '../ports.ts';

/** One range of one backfill, and the worker that holds it as it last read it. */
export interface Seat {
  readonly history: string;
  readonly backfill: string;
  readonly range: number;
  readonly worker: string;
  readonly token: string;
  /** How many steps the range has made; every step asks for it, so that none counts twice. */
  readonly revision: string;
  readonly leaseMs: number;
  readonly lockTimeoutMs: number;
}

/** Every lease of a backfill begins so. */
export const leasePrefix = (backfill: string): string => `backfill:${backfill}:`;

/** Name of the lease of a range `r`, in SQL. */
export const LEASE_OF_R = `'${leasePrefix("' || r.backfill || '")}' || cast(r.number as text)`;

const leaseName = (backfill: string, range: number): string => `${leasePrefix(backfill)}${range}`;

/** Which range; for all statements about one. */
export function placeParameters({
  history,
  backfill,
  range,
}: Pick<Seat, 'history' | 'backfill' | 'range'>): Record<string, BoundValue> {
  return { history, backfill, range: BigInt(range), lease: leaseName(backfill, range) };
}

export function seatParameters(seat: Seat): Record<string, BoundValue> {
  return {
    ...placeParameters(seat),
    worker: seat.worker,
    token: BigInt(seat.token),
    revision: BigInt(seat.revision),
    lease_ms: BigInt(seat.leaseMs),
    lock_timeout: `${seat.lockTimeoutMs}ms`,
  };
}

/** True, and the database stops the statement in whose condition it stands after `:statement_ms`. */
const LIMITED = 'forerun.limit_statement(cast(:statement_ms as integer))';

export const limitParameters = (milliseconds: number): Record<string, BoundValue> => ({
  statement_ms: BigInt(milliseconds),
});

/** The same limit for a statement that ends with a condition. */
export const limited = ({ sql, parameters }: Statement, milliseconds: number): Statement => ({
  sql: `${sql} and ${LIMITED}`,
  parameters: { ...parameters, ...limitParameters(milliseconds) },
});

/**
 * A sweep waits for every transaction that has got a number before this one: all that had written behind the cursor when the walk
 * came to its end. The walk's own last statement cannot tell, because it knows none that has written since it began; nor can a
 * snapshot, which ends at the last number that is done with. Safe to repeat, and whoever asks: any moment after the walk will do.
 */
export const beginSweep = (place: Pick<Seat, 'history' | 'backfill' | 'range'>): Statement => {
  const { history, backfill, range } = place;
  return {
    sql: `update forerun.backfill_range set horizon = cast(pg_catalog.pg_current_xact_id() as text)
where history = :history and backfill = :backfill and number = :range and pass > 1 and horizon is null`,
    parameters: { history, backfill, range: BigInt(range) },
  };
};

/** The sweep of the range `r` may begin; null where it does not know yet what to wait for. */
const AWAITED = `(r.pass = 1 or pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot()) >= cast(r.horizon as xid8))`;

/**
 * Begins every step of a range. The step counts only if the lease is ours and the range stands where we read it; a second
 * copy of the same request waits at the row and then finds another revision. The cursor moves with the lease's revision, so
 * the one that the request was made with is the right one. A sweep begins once no transaction is open any more that could
 * have written behind the first pass. `forerun_ready` also limits how long the rest of the statement may wait for a lock.
 */
export const SEAT = seat("b.state = 'running' and ");

/** For the end of a batch whose transaction holds the seat: whoever stops the backfill meanwhile waits for that end. */
export const SEAT_HELD = seat('');

function seat(state: string): string {
  return `
with forerun_seat as materialized (
  select l.history, l.name from forerun.lease l
  join forerun.backfill_range r on r.history = l.history and r.backfill = :backfill and r.number = :range
  join forerun.backfill b on b.history = l.history and b.id = :backfill
  where l.history = :history and l.name = :lease and l.token = :token and l.holder = :worker and l.revision = :revision
    and ${state}not r.ended and ${LIMITED} and ${AWAITED}
  for update of l
), forerun_ready as materialized (
  select pg_catalog.set_config('lock_timeout', :lock_timeout, true) as lock_timeout, pg_catalog.clock_timestamp() as at
  from forerun_seat
)`;
}

/** Milliseconds since the step got its seat; what its call takes beyond them is no cost of its rows. */
export const WORKED = `'workedMs', (select cast(1000.0 * cast(extract(epoch from pg_catalog.clock_timestamp() - at) as numeric) as integer)
            from forerun_ready)`;

export interface Mark {
  /** A condition of SQL: the window is the last one of its range. */
  readonly over: string;
  /** Keys as a JSON array of texts; null where the cursor stays. */
  readonly edge: string;
  /** Rows looked at, rows changed: expressions of SQL. */
  readonly seen: string;
  readonly changed: string;
  /** Rows of the closing sweep that the change leaves as they are: an expression of SQL. */
  readonly left: string;
  /** Keys to be read again, a JSON array of arrays. */
  readonly redo: string;
  readonly frozen: boolean;
}

/** Ends every step: revision and cursor move together with the effect. The first pass is followed by a sweep. */
export function marked({ over, edge, seen, changed, left, redo, frozen }: Mark): string {
  const last = frozen ? `(${over})` : `(${over}) and r.pass > 1`;
  const turn = frozen ? 'false' : `(${over}) and r.pass = 1`;
  return `forerun_moved as (
  update forerun.lease l
  set revision = l.revision + 1, expires_at = pg_catalog.clock_timestamp() + cast(:lease_ms as double precision) * interval '1 millisecond'
  from forerun_seat s where l.history = s.history and l.name = s.name
  returning l.revision
), forerun_marked as (
  update forerun.backfill_range r
  set cursor_key = case when ${turn} then r.lower_key else coalesce(${edge}, r.cursor_key) end,
      pass = case when ${turn} then 2 else r.pass end,
      ended = ${last}, redo = ${redo}, scanned = r.scanned + case when r.pass = 1 then ${seen} else 0 end,
      changed = r.changed + ${changed}, left_rows = r.left_rows + ${left}, batches = r.batches + 1, batch_rows = :batch_rows,
      recent = cast(:recent as jsonb), pace = cast(:pace as jsonb), stepped_at = pg_catalog.clock_timestamp()
  from forerun_seat where r.history = :history and r.backfill = :backfill and r.number = :range
  returning ${RANGE} as range
)`;
}

/** A range as data. */
export const RANGE = `pg_catalog.jsonb_build_object('number', r.number, 'cursor', r.cursor_key, 'upper', r.upper_key, 'pass', r.pass,
    'ended', r.ended, 'redo', r.redo, 'batchRows', r.batch_rows, 'scanned', r.scanned, 'recent', r.recent)`;

/** What every step answers beside its own words: how the range stands, or why the step did not count. */
export const STANDING = `
  'range', (select range from forerun_marked),
  'revision', (select cast(revision as text) from forerun_moved),
  'mine', exists (select from forerun.lease l where l.history = :history and l.name = :lease
                  and l.token = :token and l.holder = :worker),
  'waits', exists (select from forerun.backfill_range r where r.history = :history and r.backfill = :backfill
                   and r.number = :range and not coalesce(${AWAITED}, false)),
  'backfill', (select ${jsonOfTuning()} from forerun.backfill b where b.history = :history and b.id = :backfill)`;

function jsonOfTuning(): string {
  return `pg_catalog.jsonb_build_object('state', b.state, 'pauseMs', b.pause_ms, 'mostRows', b.most_rows, 'parallel', b.parallel)`;
}
