import { OPEN_BACKFILLS } from './backfill/open-backfill.ts';
import { type Claim, type Dialect, type LeaseBid, type RunEnd, type RunIdentity } from './journal.ts';
import { ASKER_COLUMNS, ASKER_VALUES, askedAt, askerParameters } from './postgres-asker.ts';
import { IDLE_RUN, idleParameters, note } from './postgres-ended-run.ts';
import { amend, unlock } from './postgres-intervention.ts';
import { FENCE } from './postgres-fence.ts';
import { installation, TORN_JOURNAL } from './postgres-installation.ts';
import { postgresLedger } from './postgres-ledger.ts';
import { appliedBy } from './postgres-revert.ts';
import type { BoundValue, Statement } from './ports.ts';
import { settings } from './postgres-settings.ts';

const UNDEFINED_TABLE = '42P01';
const UNDEFINED_SCHEMA = '3F000';
const UNDEFINED_COLUMN = '42703';
const READ_ONLY_TRANSACTION = '25006';

/** lock_not_available, serialization_failure, deadlock_detected (PostgreSQL documentation, appendix A). */
const CONFLICTS = new Set(['55P03', '40001', '40P01']);

/** PostgreSQL's side of the journal. Every value has an explicit type: the Data API binds text as text and longs as int8. */
export const postgres: Dialect = {
  ...postgresLedger,
  install: (history) => ({ sql: installation(history) }),
  isTorn: ({ sqlState }) => sqlState === TORN_JOURNAL,
  lacksJournal: ({ sqlState }) =>
    sqlState === UNDEFINED_TABLE || sqlState === UNDEFINED_SCHEMA || sqlState === UNDEFINED_COLUMN,
  isReadOnly: ({ sqlState }) => sqlState === READ_ONLY_TRANSACTION,
  isConflict: ({ sqlState }) => sqlState !== undefined && CONFLICTS.has(sqlState),
  read: ({ history, bundle, repeatables = [], reader, idle }) => ({
    sql: reader === null || idle === undefined ? READ : READ_OR_END,
    parameters: {
      ...(reader === null || idle === undefined ? {} : idleParameters(reader, idle)),
      history,
      bundle: JSON.stringify(bundle.map(({ id, checksum }) => [id, checksum])),
      repeatables: JSON.stringify(repeatables.map(({ id, checksum }) => [id, checksum])),
      run_id: reader?.runId ?? null,
      run_key: reader?.runKey ?? null,
      owner: reader?.owner ?? null,
      asked_at: askedAt(reader),
    },
  }),
  acquire,
  limit: ({ lockTimeoutMs, statementTimeoutMs }) =>
    settings({ lock_timeout: `${lockTimeoutMs}ms`, statement_timeout: `${statementTimeoutMs}ms` }),
  readOnly: () => settings({ transaction_read_only: 'on' }),
  claim: (claim) => ({ sql: CLAIM, parameters: claimParameters(claim) }),
  unclaim: (claim) => ({ sql: UNCLAIM, parameters: claimParameters(claim) }),
  release,
  note,
  overrule: ({ history, runId, owner }) => ({ sql: OVERRULE, parameters: { history, run_id: runId, owner } }),
  appliedBy,
  unlock,
  amend,
  applied: ({ history }) => ({ sql: APPLIED, parameters: { history } }),
  runs: ({ history, limit }) => ({ sql: RUNS, parameters: { history, limit: BigInt(limit) } }),
};

/** The bundle travels as one value and only differences come back, so the reply stays small however long the history. */
const SEEN = `
with bundle as (
  select entry ->> 0 as id, entry ->> 1 as checksum from pg_catalog.jsonb_array_elements(cast(:bundle as jsonb)) as entry
), applied as (
  select id, checksum, after, compatible, skipped from forerun.migration where history = :history
), last_event as (
  select distinct on (migration) migration, kind from forerun.event
  where history = :history and migration is not null order by migration, id desc
), seen as (
select
  (select pg_catalog.max(version) from forerun.installation) as version,
  l.token,
  l.revision,
  l.holder,
  l.owner,
  l.deploy_id,
  cast(l.acquired_at as text) as since,
  coalesce(l.expires_at > pg_catalog.clock_timestamp(), false) as live,
  (select cast(pg_catalog.count(*) as integer) from applied) as applied,
  not exists (select from applied) or not exists (select from forerun.run r where r.history = :history
    and (r.action = 'stamp' or r.action = 'up' and r.outcome = 'applied')) as fresh,
  (select coalesce(pg_catalog.jsonb_agg(b.id), '[]') from bundle b where b.id not in (select id from applied)) as pending,
  (select coalesce(pg_catalog.jsonb_agg(entry ->> 0), '[]') from pg_catalog.jsonb_array_elements(cast(:repeatables as jsonb)) as entry
    where not exists (select from forerun.repeatable r where r.history = :history and r.id = entry ->> 0
                      and r.checksum = entry ->> 1)) as stale,
  (select coalesce(pg_catalog.jsonb_agg(b.id), '[]') from bundle b join applied a on a.id = b.id and a.checksum <> b.checksum) as changed,
  (select coalesce(pg_catalog.jsonb_agg(b.id), '[]') from bundle b join last_event e on e.migration = b.id
    where e.kind not in ('reverted', 'unstamped') and b.id not in (select id from applied)) as vanished,
  (select coalesce(pg_catalog.jsonb_agg(a.id), '[]') from applied a where a.skipped) as skipped,
  (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(a.id, a.after, a.compatible)), '[]')
     from applied a where a.id not in (select id from bundle)) as foreign_ones,
  (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
       'migration', u.migration, 'direction', u.direction, 'done', u.done, 'open', u.open)), '[]')
     from (select migration, direction, pg_catalog.count(*) filter (where state = 'done') as done,
                  pg_catalog.min(number) filter (where state = 'started') as open
           from forerun.statement where history = :history group by migration, direction) as u) as unfinished,
  (${OPEN_BACKFILLS}) as backfills,
  (select pg_catalog.jsonb_build_object('runId', r.id, 'result', r.result) from forerun.run r
    where r.history = :history and (r.key = cast(:run_key as text) or r.id = cast(:run_id as text))
    order by (r.result is not null) desc, r.started_at desc limit 1) as asked,
  exists (select from forerun.run r where r.id = cast(:run_id as text) and r.outcome = 'overruled')
    or exists (select from forerun.run r where r.history = :history and r.owner = cast(:owner as text)
               and r.asked_at > cast(:asked_at as bigint)) as overruled,
  exists (select from forerun.run r where r.id = cast(:run_id as text) and r.finished_at is not null) as ended
from forerun.lease l
where l.history = :history and l.name = 'run'
)`;

const READ = `${SEEN}
select * from seen`;

/** A run with nothing to do costs this one call, and leaves its row all the same (decision 0012). */
const READ_OR_END = `${SEEN}, ${IDLE_RUN}
select seen.*, exists (select from noted) as noted from seen`;

/**
 * A bid succeeds only if nothing was written since the reading (same revision), nobody alive holds the lease, and no open
 * transaction holds its row: `skip locked` turns that last one into "no row" instead of a wait. The run's row is
 * written in the same statement. A bid for a run that has ended (a late duplicate of a request), or after a newer ask of the
 * same owner was taken up, takes nothing.
 */
const ACQUIRE = `
with seen as (
  select history, name from forerun.lease
  where history = :history and name = 'run' and revision = :revision
    and (:force or holder is null or holder = :run_id or expires_at < pg_catalog.clock_timestamp())
    and not exists (select from forerun.run r where r.id = :run_id and r.finished_at is not null)
    and not exists (select from forerun.run r where r.history = :history and r.owner = cast(:owner as text)
                    and r.asked_at > cast(:asked_at as bigint))
  for update skip locked
), taken as (
  update forerun.lease l
  set token = l.token + 1, holder = :run_id, owner = :owner, deploy_id = :deploy_id,
      acquired_at = pg_catalog.clock_timestamp(), expires_at = pg_catalog.clock_timestamp() + cast(:lease_ms as double precision) * interval '1 millisecond'
  from seen where l.history = seen.history and l.name = seen.name
  returning l.token
), noted as (
  insert into forerun.run (id, ${ASKER_COLUMNS})
  select :run_id, ${ASKER_VALUES}
  from taken
  on conflict (id) do nothing
)
select token from taken`;

function acquire({ revision, force, leaseMs, ...identity }: LeaseBid): Statement {
  return {
    sql: ACQUIRE,
    parameters: {
      ...askerParameters(identity),
      revision,
      force,
      lease_ms: BigInt(leaseMs),
    },
  };
}

/**
 * The first statement of every group's transaction. The time limits are local to it: a dead runner must not hold the app's
 * tables for the service's three minutes.
 */
const LIMITED_FENCE = `${FENCE}, settings as (
  select pg_catalog.set_config('lock_timeout', :lock_timeout, true),
         pg_catalog.set_config('idle_in_transaction_session_timeout', :idle_timeout, true),
         pg_catalog.set_config('statement_timeout', :statement_timeout, true)
  from fence
), asked as (
  select entry from fence, pg_catalog.jsonb_array_elements(cast(:migrations as jsonb)) as entry
)`;

const FENCED = `
select (select token from fence) as token,
       (select cast(pg_catalog.count(*) as integer) from settings) as settings,`;

/** A migration that is finished needs no ledger any more. */
const SWEPT = `, swept as (
  delete from forerun.statement s using claimed where s.history = :history and s.migration = claimed.id
)`;

const CLAIM = `${LIMITED_FENCE}, claimed as (
  insert into forerun.migration (history, id, checksum, after, compatible, skipped, run_id, deploy_id)
  select :history, entry ->> 0, entry ->> 1, entry -> 2, cast(entry ->> 3 as boolean), cast(entry ->> 4 as boolean), :run_id, cast(:deploy_id as text)
  from asked where not cast(entry ->> 5 as boolean)
  on conflict do nothing
  returning id, skipped
), repeated as (
  insert into forerun.repeatable as r (history, id, checksum, run_id, deploy_id)
  select :history, entry ->> 0, entry ->> 1, :run_id, cast(:deploy_id as text)
  from asked where cast(entry ->> 5 as boolean)
  on conflict (history, id) do update
    set checksum = excluded.checksum, run_id = excluded.run_id, deploy_id = excluded.deploy_id,
        applied_at = pg_catalog.clock_timestamp()
    where r.checksum <> excluded.checksum
  returning id
), told as (
  insert into forerun.event (history, run_id, kind, migration)
  select :history, :run_id, case when skipped then 'skipped' else 'applied' end, id from claimed
  union all
  select :history, :run_id, 'repeated', id from repeated
)${SWEPT}${FENCED}
       (select cast(pg_catalog.count(*) as integer) from claimed) + (select cast(pg_catalog.count(*) as integer) from repeated) as claimed`;

const UNCLAIM = `${LIMITED_FENCE}, claimed as (
  delete from forerun.migration m using asked
  where m.history = :history and m.id = asked.entry ->> 0 and m.checksum = asked.entry ->> 1
  returning m.id
), told as (
  insert into forerun.event (history, run_id, kind, migration)
  select :history, :run_id, 'reverted', claimed.id from claimed
)${SWEPT}${FENCED}
       (select cast(pg_catalog.count(*) as integer) from claimed) as claimed`;

function claimParameters(claim: Claim): Record<string, BoundValue> {
  const { token, leaseMs, migrations, lockTimeoutMs, idleTimeoutMs, statementTimeoutMs } = claim;
  return {
    ...identityParameters(claim),
    token,
    lease_ms: BigInt(leaseMs),
    lock_timeout: `${lockTimeoutMs}ms`,
    idle_timeout: `${idleTimeoutMs}ms`,
    statement_timeout: `${statementTimeoutMs}ms`,
    migrations: JSON.stringify(
      migrations.map(({ id, checksum, after, compatible, skipped, repeatable }) => [
        id,
        checksum,
        after,
        compatible ?? null,
        skipped ?? false,
        repeatable ?? false,
      ]),
    ),
  };
}

function identityParameters({
  history,
  runId,
  deployId,
}: Pick<RunIdentity, 'history' | 'runId' | 'deployId'>) {
  return { history, run_id: runId, deploy_id: deployId };
}

/** Frees the lease if it is still ours and not held by a transaction of ours whose end got lost; ends the run's row once. */
const RELEASE = `
with mine as (
  select history, name from forerun.lease
  where history = :history and name = 'run' and token = :token and holder = :run_id
  for update skip locked
), freed as (
  update forerun.lease l set holder = null, owner = null, deploy_id = null, acquired_at = null, expires_at = null
  from mine where l.history = mine.history and l.name = mine.name
  returning l.token
), ended as (
  update forerun.run set finished_at = pg_catalog.clock_timestamp(), outcome = :outcome, result = cast(:result as jsonb)
  where id = :run_id and finished_at is null
  returning id
)
select (select cast(pg_catalog.count(*) as integer) from freed) as freed, (select cast(pg_catalog.count(*) as integer) from ended) as ended`;

function release({ history, runId, token, outcome, result }: RunEnd): Statement {
  return { sql: RELEASE, parameters: { history, run_id: runId, token, outcome, result } };
}

/** Runs do not lock their rows while they work, so this never waits for one of them. */
const OVERRULE = `
update forerun.run set finished_at = pg_catalog.clock_timestamp(), outcome = 'overruled'
where history = :history and owner = cast(:owner as text) and id <> :run_id and finished_at is null`;

const APPLIED = `
select id, cast(applied_at as text) as applied_at, run_id, deploy_id, skipped
from forerun.migration where history = :history order by applied_at, id`;

const RUNS = `
select r.id, r.action, r.owner, r.deploy_id, r.commit_id, r.asked_by, r.asked_through,
       cast(r.started_at as text) as started_at, cast(r.finished_at as text) as finished_at,
       cast(cast(extract(epoch from r.finished_at - r.started_at) as numeric) * 1000.0 as bigint) as milliseconds,
       r.outcome, r.result ->> 'reason' as reason, r.result ->> 'phase' as phase,
       cast(r.result ->> 'rows' as bigint) as rows, cast(r.result ->> 'dataApiCalls' as bigint) as calls,
       r.result -> 'error' ->> 'code' as error_code,
       pg_catalog.left(r.result -> 'error' -> 'text' ->> 'what', 500) as error_what,
       (select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(e.kind, e.migration) order by e.id), '[]')
          from forerun.event e where e.history = r.history and e.run_id = r.id) as events
from forerun.run r where r.history = :history order by r.started_at desc, r.id limit :limit`;
