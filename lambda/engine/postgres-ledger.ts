import {
  LEDGER_PAGE,
  type LedgerDialect,
  type LoneOrder,
  type RecordedOrder,
  type WatchOrder,
} from './ledger.ts';
import { lexemesOf } from './lexemes.ts';
import type { LoneForm } from './lone-statement.ts';
import type { BoundValue, Statement } from './ports.ts';
import { FENCE } from './postgres-fence.ts';
import { RUN_STATEMENT } from './postgres-run-statement.ts';

function runRecorded({ statement, lockTimeoutMs, patienceMs, ...order }: RecordedOrder): Statement {
  const { text, values } = withArguments(statement);
  const names = values.map((_, at) => `value_${at + 1}`);
  const list = names.map((name) => `:${name}`).join(', ');
  return {
    sql: `
select cast(answer ->> 'ended' as text) as ended, cast(answer ->> 'affected' as bigint) as affected
from ${RUN_STATEMENT}(cast(:order as jsonb), :statement, cast(array[${list}] as text[])) as answer`,
    parameters: {
      ...Object.fromEntries(names.map((name, at) => [name, values[at] ?? ''])),
      order: JSON.stringify({
        history: order.history,
        run: order.runId,
        token: String(order.token),
        lease: `${order.leaseMs} milliseconds`,
        migration: order.migration,
        direction: order.direction,
        number: order.number,
        digest: order.digest,
        lock_timeout: `${lockTimeoutMs}ms`,
        patience: `${patienceMs} milliseconds`,
      }),
      statement: text,
    },
    ...(statement.hidden === undefined ? {} : { hidden: statement.hidden }),
  };
}

/** The function takes all values as one array of texts; each placeholder takes its own out and gives it its type. */
function withArguments({ sql, parameters = {} }: Statement): { text: string; values: readonly string[] } {
  const values: string[] = [];
  let text = '';
  let done = 0;
  if (Object.keys(parameters).length > 0) {
    for (const { kind, text: name, start, end } of lexemesOf(sql)) {
      const value = parameters[name];
      if (kind !== 'placeholder' || value === undefined) continue;
      text += sql.slice(done, start) + argument(value, values);
      done = end;
    }
  }
  return { text: text + sql.slice(done), values };
}

function argument(value: BoundValue, values: string[]): string {
  if (value === null) return 'null';
  values.push(value instanceof Uint8Array ? hexOf(value) : String(value));
  const taken = `($1)[${values.length}]`;
  if (typeof value === 'string') return taken;
  if (typeof value === 'boolean') return `cast(${taken} as boolean)`;
  if (value instanceof Uint8Array) return `pg_catalog.decode(${taken}, 'hex')`;
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
  return `cast(${taken} as ${whole ? 'bigint' : 'double precision'})`;
}

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const ENTRIES = `
select coalesce(pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
         'migration', e.migration, 'direction', e.direction, 'number', e.number, 'digest', e.digest, 'state', e.state,
         'runId', e.run_id, 'affected', e.affected, 'sqlState', e.sqlstate, 'facts', e.facts) order by e.number), '[]') as entries
from (select * from forerun.statement
      where history = :history and migration = :migration and direction = :direction and number > :after
      order by number limit ${LEDGER_PAGE}) as e`;

/** A request that comes late must not do again what the claim of its migration has closed. */
const STILL_TO_DO = `(:direction = 'up') = (not exists (
  select from forerun.migration m where m.history = :history and m.id = :migration))`;

const THIS_STATEMENT = `s.history = :history and s.migration = :migration and s.direction = :direction and s.number = :number`;

/** Null names find nothing; `to_regclass` folds and searches a name as the statement itself would. */
const INDEX = `
select c.oid, i.indrelid, pg_catalog.format('%I.%I', n.nspname, c.relname) as name, i.indisvalid as valid
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_index i on i.indexrelid = c.oid
where c.oid = cast(pg_catalog.to_regclass(cast(:dropped as text)) as oid)
   or c.relname = cast((pg_catalog.parse_ident(cast(:created as text)))[1] as name)
      and c.relnamespace = (select relnamespace from pg_class where oid = cast(pg_catalog.to_regclass(cast(:table as text)) as oid))`;

const START = `${FENCE}, known as (${INDEX}), noted as (
  insert into forerun.statement as s (history, migration, direction, number, digest, state, run_id)
  select :history, :migration, :direction, :number, :digest, 'started', :run_id from fence
  where ${STILL_TO_DO}
    and (:again or cast(:created as text) is null or not exists (select from known))
  on conflict (history, migration, direction, number) do update
    set digest = excluded.digest, state = 'started', run_id = excluded.run_id, started_at = pg_catalog.clock_timestamp()
    where s.state <> 'done'
  returning s.number
)
select (select token from fence) as token, exists (select from noted) as noted,
       (select name from known) as index_name, (select valid from known) as index_valid`;

const FINISH = `${FENCE}, noted as (
  update forerun.statement s set state = 'done', finished_at = pg_catalog.clock_timestamp() from fence
  where ${THIS_STATEMENT}
  returning s.number
)
select (select token from fence) as token`;

const FORGET = `${FENCE}, noted as (
  delete from forerun.statement s using fence where ${THIS_STATEMENT} and s.state = 'started'
  returning s.number
)
select (select token from fence) as token`;

/**
 * What works is found in two ways. By the tag, which must be the first thing in the text: the view cuts long ones, and shows the
 * last statement of an idle session too. And by the lock that building, dropping and vacuuming take on their table, wherever
 * it is held or waited for: on the table of the index in question, or anywhere by a session whose text this role may not see.
 */
const WATCH = `
with mine as (
  update forerun.lease set expires_at = pg_catalog.clock_timestamp() + cast(:lease_ms as double precision) * interval '1 millisecond'
  where history = :history and name = 'run' and token = :token and holder = :run_id
  returning token
), known as (${INDEX}), others as (
  select a.pid, a.state, a.query, a.backend_type from pg_stat_activity a
  where a.datname = pg_catalog.current_database() and a.pid <> pg_catalog.pg_backend_pid()
)
select (select token from mine) as token,
       exists (select from others where state = 'active' and pg_catalog.starts_with(query, :tag)) as seen,
       exists (select from others o join pg_locks l on l.pid = o.pid
               where l.locktype = 'relation' and l.mode = 'ShareUpdateExclusiveLock'
                 and (o.query = '<insufficient privilege>'
                      or o.backend_type <> 'autovacuum worker'
                         and l.relation in (cast(pg_catalog.to_regclass(cast(:table as text)) as oid), (select indrelid from known)))) as locked,
       (select p.phase || case when p.blocks_total > 0 then pg_catalog.format(', %s%% of the blocks', p.blocks_done * 100 / p.blocks_total) else '' end
          from pg_stat_progress_create_index p join others o on o.pid = p.pid
          where pg_catalog.starts_with(o.query, :tag) or p.index_relid = (select oid from known) limit 1) as phase,
       (select pg_catalog.clock_timestamp() > s.started_at + cast(:in_flight_ms as double precision) * interval '1 millisecond'
          from forerun.statement s where ${THIS_STATEMENT}) as settled,
       (select name from known) as index_name,
       (select valid from known) as index_valid`;

function orderParameters({ leaseMs, runId, token, number, ...order }: LoneOrder): Record<string, BoundValue> {
  return {
    history: order.history,
    migration: order.migration,
    direction: order.direction,
    number: BigInt(number),
    token,
    run_id: runId,
    lease_ms: BigInt(leaseMs),
  };
}

function indexParameters(form: LoneForm): Record<string, BoundValue> {
  return {
    created: form.kind === 'create-index' ? form.index : null,
    table: form.kind === 'create-index' ? form.table : null,
    dropped: form.kind === 'drop-index' ? form.index : null,
  };
}

/** PostgreSQL's side of the ledger. */
export const postgresLedger: LedgerDialect = {
  entries: ({ after, ...question }) => ({ sql: ENTRIES, parameters: { ...question, after: BigInt(after) } }),
  runRecorded,
  start: ({ form, again, ...order }) => ({
    sql: START,
    parameters: { ...orderParameters(order), ...indexParameters(form), digest: order.digest, again },
  }),
  finish: (order) => ({ sql: FINISH, parameters: orderParameters(order) }),
  forget: (order) => ({ sql: FORGET, parameters: orderParameters(order) }),
  watch: ({ form, tag, inFlightMs, ...order }: WatchOrder) => ({
    sql: WATCH,
    parameters: {
      ...orderParameters(order),
      ...indexParameters(form),
      tag,
      in_flight_ms: BigInt(inFlightMs),
    },
  }),
  dropLeftover: (index) => `drop index concurrently if exists ${index}`,
};
