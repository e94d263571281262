import type { Statement } from '../ports.ts';
import type { BackfillPlace } from './postgres-prepare.ts';
import { leasePrefix, placeParameters, RANGE, type Seat } from './postgres-seat.ts';
import type { BackfillState } from './states.ts';

export interface Enqueued extends BackfillPlace {
  readonly checksum: string;
  readonly hold: boolean;
  readonly pauseMs: number;
  readonly parallel: number;
}

/** Writes the row of a backfill, or begins anew with one that was done or given up; one that is under way stays as it is. */
export const enqueueBackfill = ({
  history,
  backfill,
  checksum,
  hold,
  pauseMs,
  parallel,
}: Enqueued): Statement => ({
  sql: `with enqueued as (
  insert into forerun.backfill as b (history, id, checksum, state, hold, pause_ms, parallel)
  values (:history, :backfill, :checksum, 'enqueued', :hold, :pause_ms, :parallel)
  on conflict (history, id) do update
    set checksum = excluded.checksum, state = 'enqueued', hold = excluded.hold, pause_ms = excluded.pause_ms,
        parallel = excluded.parallel, most_rows = null, reason = null, total = null, key = null, captured_at = null,
        prepared_at = null, started_at = null, finished_at = null, enqueued_at = pg_catalog.clock_timestamp()
    where b.state in ('succeeded', 'cancelled')
  returning b.history, b.id
)
delete from forerun.backfill_range r using enqueued where r.history = enqueued.history and r.backfill = enqueued.id`,
  parameters: {
    history,
    backfill,
    checksum,
    hold,
    pause_ms: BigInt(pauseMs),
    parallel: BigInt(parallel),
  },
});

/** Takes a backfill out of the journal; a batch under way is waited for, and none can commit afterwards. */
export const forgetBackfill = ({ history, backfill }: BackfillPlace): Statement => ({
  sql: `with freed as (
  delete from forerun.lease where history = :history and pg_catalog.starts_with(name, :leases)
), emptied as (
  delete from forerun.backfill_range where history = :history and backfill = :backfill
)
delete from forerun.backfill where history = :history and id = :backfill`,
  parameters: { history, backfill, leases: leasePrefix(backfill) },
});

/** The backfill with its ranges. */
export const readBackfill = ({ history, backfill }: BackfillPlace): Statement => ({
  sql: `select pg_catalog.jsonb_build_object(
  'state', b.state, 'checksum', b.checksum, 'key', b.key, 'captured', b.captured_at is not null,
  'prepared', b.prepared_at is not null, 'pauseMs', b.pause_ms, 'mostRows', b.most_rows, 'parallel', b.parallel,
  'reason', b.reason, 'open', (
    select coalesce(pg_catalog.jsonb_agg(r.number order by r.number), '[]') from forerun.backfill_range r
    where r.history = b.history and r.backfill = b.id and not r.ended)) as answer
from forerun.backfill b where b.history = :history and b.id = :backfill`,
  parameters: { history, backfill },
});

/** A bid for the lease of a range; it counts only while nobody alive works on it and no older batch is open. */
export const bidForRange = (seat: Omit<Seat, 'token' | 'revision' | 'lockTimeoutMs'>): Statement => ({
  sql: `with free as (
  select l.history, l.name from forerun.lease l
  join forerun.backfill_range r on r.history = l.history and r.backfill = :backfill and r.number = :range
  where l.history = :history and l.name = :lease and not r.ended
    and (l.holder is null or l.holder = :worker or l.expires_at < pg_catalog.clock_timestamp())
    and exists (select from forerun.backfill b where b.history = :history and b.id = :backfill and b.state = 'running')
  for update of l skip locked
)
update forerun.lease l
set token = l.token + 1, holder = :worker, acquired_at = pg_catalog.clock_timestamp(),
    expires_at = pg_catalog.clock_timestamp() + :lease_ms * interval '1 millisecond'
from free where l.history = free.history and l.name = free.name`,
  parameters: { ...placeParameters(seat), worker: seat.worker, lease_ms: BigInt(seat.leaseMs) },
});

/** How a range stands and whose it is, in one snapshot: lease and cursor only ever move together. */
export const readRange = (seat: Omit<Seat, 'token' | 'revision' | 'lockTimeoutMs'>): Statement => ({
  sql: `select pg_catalog.jsonb_build_object('range', ${RANGE}, 'token', cast(l.token as text), 'revision', cast(l.revision as text),
  'mine', coalesce(l.holder = :worker, false), 'state', b.state) as answer
from forerun.backfill_range r
join forerun.backfill b on b.history = r.history and b.id = r.backfill
join forerun.lease l on l.history = r.history and l.name = :lease
where r.history = :history and r.backfill = :backfill and r.number = :range`,
  parameters: { ...placeParameters(seat), worker: seat.worker },
});

/** Frees the lease of a range, so that the next worker need not wait for its end; safe to repeat. */
export const freeRange = (seat: Omit<Seat, 'revision' | 'lockTimeoutMs' | 'leaseMs'>): Statement => ({
  sql: `update forerun.lease set holder = null, expires_at = null
where history = :history and name = :lease and token = :token and holder = :worker`,
  parameters: {
    history: seat.history,
    lease: placeParameters(seat)['lease'] ?? null,
    token: BigInt(seat.token),
    worker: seat.worker,
  },
});

export interface Move extends BackfillPlace {
  readonly from: readonly BackfillState[];
  readonly to: BackfillState;
  readonly reason: string | null;
}

/** Moves a backfill to another state and takes the leases of its ranges, which waits for the batches under way. */
export const moveBackfill = ({ history, backfill, from, to, reason }: Move): Statement => ({
  sql: `with moved as (
  update forerun.backfill set state = :to, reason = cast(:reason as text)
  where history = :history and id = :backfill and state in (select pg_catalog.jsonb_array_elements_text(cast(:from as jsonb)))
  returning history
), taken as (
  update forerun.lease l set token = l.token + 1, holder = null, expires_at = null
  from moved where l.history = moved.history and pg_catalog.starts_with(l.name, :leases)
)
select (select cast(pg_catalog.count(*) as integer) from moved) as moved,
       (select state from forerun.backfill where history = :history and id = :backfill) as was`,
  parameters: { history, backfill, from: JSON.stringify(from), to, reason, leases: leasePrefix(backfill) },
});

export interface TuneOrder extends BackfillPlace {
  readonly mostRows: number | null;
  readonly pauseMs: number | null;
  readonly parallel: number | null;
}

/** Changes how hard a backfill works; its workers see it with their next batch. */
export const tuneBackfill = ({ history, backfill, mostRows, pauseMs, parallel }: TuneOrder): Statement => ({
  sql: `update forerun.backfill
set most_rows = coalesce(cast(:most_rows as bigint), most_rows), pause_ms = coalesce(cast(:pause_ms as bigint), pause_ms),
    parallel = coalesce(cast(:parallel as bigint), parallel)
where history = :history and id = :backfill`,
  parameters: {
    history,
    backfill,
    most_rows: whole(mostRows),
    pause_ms: whole(pauseMs),
    parallel: whole(parallel),
  },
});

const whole = (value: number | null): bigint | null => (value === null ? null : BigInt(value));

/** Every backfill of a history with its progress. */
export const listBackfills = (history: string): Statement => ({
  sql: `select pg_catalog.jsonb_build_object(
  'id', b.id, 'state', b.state, 'hold', b.hold, 'reason', b.reason, 'total', b.total,
  'enqueuedAt', b.enqueued_at, 'startedAt', b.started_at, 'finishedAt', b.finished_at,
  'pauseMs', b.pause_ms, 'mostRows', b.most_rows, 'parallel', b.parallel,
  'ranges', coalesce((select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('number', r.number, 'ended', r.ended, 'pass', r.pass,
      'scanned', r.scanned, 'changed', r.changed, 'batches', r.batches, 'batchRows', r.batch_rows, 'recent', r.recent,
      'cursor', r.cursor_key, 'upper', r.upper_key) order by r.number)
    from forerun.backfill_range r where r.history = b.history and r.backfill = b.id), '[]')) as answer
from forerun.backfill b where b.history = :history order by b.enqueued_at, b.id`,
  parameters: { history },
});

/**
 * What the database says of its load, without our own batches. `lately` counts sessions that have worked within ten
 * seconds, `hidden` those that this role may not look into; lag is null where no replica is seen.
 */
export const READ_SIGNALS: Statement = {
  sql: `/* forerun signals */ select
  cast(pg_catalog.count(*) filter (where state = 'active' and not pg_catalog.starts_with(query, '/* forerun ')) as integer) as active,
  cast(pg_catalog.count(*) filter (where not pg_catalog.starts_with(query, '/* forerun ')
    and (state <> 'idle' or state_change > pg_catalog.clock_timestamp() - interval '10 seconds')) as integer) as lately,
  cast(pg_catalog.count(*) filter (where wait_event_type = 'Lock') as integer) as waiting,
  cast(pg_catalog.count(*) filter (where query = '<insufficient privilege>') as integer) as hidden,
  cast(coalesce(pg_catalog.max(extract(epoch from pg_catalog.clock_timestamp() - xact_start)), 0) as double precision) as oldest,
  cast((select pg_catalog.max(extract(epoch from replay_lag)) from pg_stat_replication) as double precision) as lag
from pg_stat_activity
where datname = pg_catalog.current_database() and backend_type = 'client backend' and pid <> pg_catalog.pg_backend_pid()`,
};

/** Keeps the run's lease while a run works on a backfill; no row when it is ours no more. */
export const renewRun = (run: {
  history: string;
  runId: string;
  token: bigint;
  leaseMs: number;
}): Statement => ({
  sql: `update forerun.lease set expires_at = pg_catalog.clock_timestamp() + :lease_ms * interval '1 millisecond'
where history = :history and name = 'run' and token = :token and holder = :run_id
  and exists (select from forerun.run r where r.id = :run_id and r.finished_at is null)
returning token`,
  parameters: { history: run.history, run_id: run.runId, token: run.token, lease_ms: BigInt(run.leaseMs) },
});
