import type { Statement } from '../ports.ts';
import { noted, noteParameters, type Note } from './postgres-event.ts';
import type { BackfillPlace } from './postgres-prepare.ts';
import { leasePrefix, placeParameters, RANGE, type Seat } from './postgres-seat.ts';
import { statesBefore, type BackfillMove, type BackfillState } from './states.ts';

export interface Enqueued extends BackfillPlace {
  readonly checksum: string;
  readonly hold: boolean;
  readonly frozen: boolean;
  readonly pauseMs: number;
  readonly parallel: number;
}

/**
 * Writes the row of a backfill, or begins anew with one that was done, or that was cancelled and has another file now; one that is
 * under way stays as it is. Answers in which state one was that begins anew.
 *
 * Where rows were changed without a trace, nothing begins anew: they would be changed twice. Of a backfill that was cancelled a batch
 * may still be under way, which is waited for at its lease before its range goes.
 */
export const enqueueBackfill = ({
  history,
  backfill,
  checksum,
  hold,
  frozen,
  pauseMs,
  parallel,
}: Enqueued): Statement => ({
  sql: `with before as materialized (
  select state from forerun.backfill where history = :history and id = :backfill
), enqueued as (
  insert into forerun.backfill as b (history, id, checksum, state, hold, pause_ms, parallel)
  values (:history, :backfill, :checksum, 'enqueued', :hold, :pause_ms, :parallel)
  on conflict (history, id) do update
    set checksum = excluded.checksum, state = 'enqueued', hold = excluded.hold, pause_ms = excluded.pause_ms,
        parallel = excluded.parallel, most_rows = null, reason = null, total = null, key = null, captured_at = null,
        prepared_at = null, started_at = null, finished_at = null, enqueued_at = pg_catalog.clock_timestamp()
    where b.state in (select pg_catalog.jsonb_array_elements_text(cast(:from as jsonb)))
      and b.state = (select state from before) and (b.state <> 'cancelled' or (b.checksum <> excluded.checksum
        and not ((b.captured_at is not null or cast(:frozen as boolean)) and exists (
          select from forerun.backfill_range r where r.history = b.history and r.backfill = b.id and r.scanned > 0))))
  returning b.history, b.id
), ${noted('enqueued', '(select state from before)', `'enqueued'`)}, taken as (
  update forerun.lease l set token = l.token + 1, holder = null, expires_at = null
  from enqueued where l.history = enqueued.history and pg_catalog.starts_with(l.name, :leases)
  returning l.name
), emptied as (
  delete from forerun.backfill_range r using enqueued
  where r.history = enqueued.history and r.backfill = enqueued.id and (select pg_catalog.count(*) from taken) >= 0
)
select before.state as was from before, enqueued`,
  parameters: {
    history,
    backfill,
    checksum,
    hold,
    frozen,
    leases: leasePrefix(backfill),
    pause_ms: BigInt(pauseMs),
    parallel: BigInt(parallel),
    from: JSON.stringify(statesBefore('enqueued', 'deploy')),
    ...noteParameters({ move: 'deploy', reason: null, by: null }),
  },
});

/**
 * Before a backfill is taken out of the journal: a split under way is waited for, and none can begin. Only a statement that comes
 * after this one sees the lease and the range of that split.
 */
export const holdBackfill = ({ history, backfill }: BackfillPlace): Statement => ({
  sql: `select from forerun.backfill where history = :history and id = :backfill for update`,
  parameters: { history, backfill },
});

/**
 * Takes a backfill out of the journal; a batch under way is waited for, and none can commit afterwards. Statements lock backfill,
 * lease and range in this order.
 */
export const forgetBackfill = ({ history, backfill }: BackfillPlace): Statement => ({
  sql: `with freed as (
  delete from forerun.lease where history = :history and pg_catalog.starts_with(name, :leases) returning name
), emptied as (
  delete from forerun.backfill_range
  where history = :history and backfill = :backfill and (select pg_catalog.count(*) from freed) >= 0
), untold as (
  delete from forerun.backfill_event where history = :history and backfill = :backfill
)
delete from forerun.backfill where history = :history and id = :backfill`,
  parameters: { history, backfill, leases: leasePrefix(backfill) },
});

/** The backfill with its ranges. */
export const readBackfill = ({ history, backfill }: BackfillPlace): Statement => ({
  sql: `select pg_catalog.jsonb_build_object(
  'state', b.state, 'checksum', b.checksum, 'key', b.key, 'captured', b.captured_at is not null,
  'prepared', b.prepared_at is not null, 'pauseMs', b.pause_ms, 'mostRows', b.most_rows, 'parallel', b.parallel,
  'reason', b.reason, 'total', b.total, 'scanned', (
    select coalesce(pg_catalog.sum(r.scanned), 0) from forerun.backfill_range r
    where r.history = b.history and r.backfill = b.id), 'open', (
    select coalesce(pg_catalog.jsonb_agg(r.number order by r.number), '[]') from forerun.backfill_range r
    where r.history = b.history and r.backfill = b.id and not r.ended)) as answer
from forerun.backfill b where b.history = :history and b.id = :backfill`,
  parameters: { history, backfill },
});

/** How a range stands and whose it is, in one snapshot: lease and cursor only ever move together. */
export const readRange = (seat: Omit<Seat, 'token' | 'revision' | 'lockTimeoutMs'>): Statement => ({
  sql: `select pg_catalog.jsonb_build_object('range', ${RANGE}, 'pace', r.pace, 'mostRows', b.most_rows,
  'restMs', greatest(0, coalesce(cast(b.pause_ms as numeric) - pg_catalog.floor(1000.0 * cast(extract(epoch from pg_catalog.clock_timestamp() - r.stepped_at) as numeric)), 0)), 'token', cast(l.token as text), 'revision', cast(l.revision as text),
  'mine', coalesce(l.holder = :worker, false), 'state', b.state) as answer
from forerun.backfill_range r
join forerun.backfill b on b.history = r.history and b.id = r.backfill
join forerun.lease l on l.history = r.history and l.name = :lease
where r.history = :history and r.backfill = :backfill and r.number = :range`,
  parameters: { ...placeParameters(seat), worker: seat.worker },
});

/** Frees the lease of a range, so that the next worker need not wait for its end; safe to repeat. */
export const freeRange = (
  seat: Omit<Seat, 'revision' | 'lockTimeoutMs' | 'leaseMs'> & { readonly pace: string },
): Statement => ({
  sql: `with freed as (
  update forerun.lease set holder = null, expires_at = null
  where history = :history and name = :lease and token = :token and holder = :worker
  returning history
)
update forerun.backfill_range r set pace = cast(:pace as jsonb)
from freed where r.history = freed.history and r.backfill = :backfill and r.number = :range`,
  parameters: {
    ...placeParameters(seat),
    token: BigInt(seat.token),
    worker: seat.worker,
    pace: seat.pace,
  },
});

export interface Move extends BackfillPlace, Note {
  readonly move: Note['move'] & BackfillMove;
  readonly to: BackfillState;
}

/**
 * Moves a backfill along the edges of its states, which keeps every further batch from beginning. What stops it is shown with it;
 * what lets it go on takes that away.
 */
export const moveBackfill = ({ history, backfill, to, ...note }: Move): Statement => ({
  sql: `with before as materialized (
  select history, id, state from forerun.backfill
  where history = :history and id = :backfill and state in (select pg_catalog.jsonb_array_elements_text(cast(:from as jsonb)))
  for update
), moved as (
  update forerun.backfill b
  set state = :to, reason = case when :to = 'enqueued' then null else cast(:note as text) end
  from before where b.history = before.history and b.id = before.id
  returning b.history, before.state
), ${noted('moved', 'moved.state', ':to')}
select cast(pg_catalog.count(*) as integer) as moved from moved`,
  parameters: {
    history,
    backfill,
    to,
    from: JSON.stringify(statesBefore(to, note.move)),
    ...noteParameters(note),
  },
});

/** Takes the leases of a backfill's ranges, which waits for the batches under way; safe to repeat. */
export const takeLeases = ({ history, backfill }: BackfillPlace): Statement => ({
  sql: `update forerun.lease set token = token + 1, holder = null, expires_at = null
where history = :history and pg_catalog.starts_with(name, :leases)`,
  parameters: { history, backfill, leases: leasePrefix(backfill) },
});

export interface TuneOrder extends BackfillPlace {
  readonly mostRows: number | null;
  readonly pauseMs: number | null;
  readonly parallel: number | null;
  readonly reason: string | null;
  readonly by: string | null;
}

/** Changes how hard a backfill works; its workers see it with their next batch. */
export const tuneBackfill = ({
  history,
  backfill,
  mostRows,
  pauseMs,
  parallel,
  ...note
}: TuneOrder): Statement => ({
  sql: `with tuned as (
  update forerun.backfill
  set most_rows = coalesce(cast(:most_rows as bigint), most_rows), pause_ms = coalesce(cast(:pause_ms as bigint), pause_ms),
      parallel = coalesce(cast(:parallel as bigint), parallel)
  where history = :history and id = :backfill
    and (most_rows is distinct from coalesce(cast(:most_rows as bigint), most_rows)
         or pause_ms <> coalesce(cast(:pause_ms as bigint), pause_ms) or parallel <> coalesce(cast(:parallel as bigint), parallel))
  returning state, most_rows, pause_ms, parallel
), ${noted('tuned', 'state', 'state', `pg_catalog.jsonb_build_object('mostRows', most_rows, 'pauseMs', pause_ms, 'parallel', parallel)`)}
select 1 as done`,
  parameters: {
    history,
    backfill,
    most_rows: whole(mostRows),
    pause_ms: whole(pauseMs),
    parallel: whole(parallel),
    ...noteParameters({ move: 'tune', ...note }),
  },
});

const whole = (value: number | null): bigint | null => (value === null ? null : BigInt(value));

/** A session that has last worked for us: on a batch, or in the journal. */
const OURS = `(pg_catalog.starts_with(query, '/* forerun ') or query ~ '\\mforerun\\.')`;

/**
 * What the database says of its load, without our own sessions. `lately` counts sessions that have worked within ten
 * seconds, `hidden` those that this role may not look into; lag is null where no replica is seen.
 */
export const READ_SIGNALS: Statement = {
  sql: `/* forerun signals */ select
  cast(pg_catalog.count(*) filter (where state = 'active' and not ${OURS}) as integer) as active,
  cast(pg_catalog.count(*) filter (where not ${OURS}
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
  sql: `update forerun.lease set expires_at = pg_catalog.clock_timestamp() + cast(:lease_ms as double precision) * interval '1 millisecond'
where history = :history and name = 'run' and token = :token and holder = :run_id
  and exists (select from forerun.run r where r.id = :run_id and r.finished_at is null)
returning token`,
  parameters: { history: run.history, run_id: run.runId, token: run.token, lease_ms: BigInt(run.leaseMs) },
});
