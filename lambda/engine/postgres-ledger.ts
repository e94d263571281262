import type { LedgerDialect, LoneOrder, RecordedOrder, WatchOrder } from './ledger.ts';
import { lexemesOf } from './lexemes.ts';
import type { LoneForm } from './lone-statement.ts';
import type { BoundValue, Statement } from './ports.ts';
import { FENCE } from './postgres-fence.ts';

const RUN_RECORDED = `
select cast(answer ->> 'ended' as text) as ended, cast(answer ->> 'affected' as bigint) as affected
from forerun.run_statement(
  cast(:order as jsonb), :statement, array(
    select value from jsonb_array_elements_text(cast(:arguments as jsonb)) with ordinality as a (value, at) order by at)
) as answer`;

function runRecorded({ statement, lockTimeoutMs, patienceMs, ...order }: RecordedOrder): Statement {
  const { text, values } = withArguments(statement);
  return {
    sql: RUN_RECORDED,
    parameters: {
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
      arguments: JSON.stringify(values),
    },
  };
}

/** The function hands all values over as one array of texts; each placeholder takes its own out and gives it its type. */
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
  if (value instanceof Uint8Array) return `decode(${taken}, 'hex')`;
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
  return `cast(${taken} as ${whole ? 'bigint' : 'double precision'})`;
}

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

const THIS_STATEMENT = `s.history = :history and s.migration = :migration and s.direction = :direction and s.number = :number`;

/** Null names find nothing; `to_regclass` folds and searches a name as the statement itself would. */
const INDEX = `
select c.oid, i.indrelid, format('%I.%I', n.nspname, c.relname) as name, i.indisvalid as valid
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_index i on i.indexrelid = c.oid
where c.oid = to_regclass(cast(:dropped as text))
   or c.relname = (parse_ident(cast(:created as text)))[1]
      and c.relnamespace = (select relnamespace from pg_class where oid = to_regclass(cast(:table as text)))`;

const START = `${FENCE}, known as (${INDEX}), noted as (
  insert into forerun.statement as s (history, migration, direction, number, digest, state, run_id)
  select :history, :migration, :direction, :number, :digest, 'started', :run_id from fence
  where :again or cast(:created as text) is null or not exists (select from known)
  on conflict (history, migration, direction, number) do update
    set digest = excluded.digest, state = 'started', run_id = excluded.run_id, started_at = clock_timestamp()
    where s.state <> 'done'
  returning s.number
)
select (select token from fence) as token, exists (select from noted) as noted,
       (select name from known) as index_name, (select valid from known) as index_valid`;

const FINISH = `${FENCE}, noted as (
  update forerun.statement s set state = 'done', finished_at = clock_timestamp() from fence
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
  update forerun.lease set expires_at = clock_timestamp() + :lease_ms * interval '1 millisecond'
  where history = :history and name = 'run' and token = :token and holder = :run_id
  returning token
), known as (${INDEX}), others as (
  select a.pid, a.state, a.query, a.backend_type from pg_stat_activity a
  where a.datname = current_database() and a.pid <> pg_backend_pid()
)
select (select token from mine) as token,
       exists (select from others where state = 'active' and starts_with(query, :tag))
         or exists (select from others o join pg_locks l on l.pid = o.pid
                    where l.locktype = 'relation' and l.mode = 'ShareUpdateExclusiveLock'
                      and (o.query = '<insufficient privilege>'
                           or o.backend_type <> 'autovacuum worker'
                              and l.relation in (to_regclass(cast(:table as text)), (select indrelid from known)))) as alive,
       (select p.phase || case when p.blocks_total > 0 then format(', %s%% of the blocks', p.blocks_done * 100 / p.blocks_total) else '' end
          from pg_stat_progress_create_index p join others o on o.pid = p.pid
          where starts_with(o.query, :tag) or p.index_relid = (select oid from known) limit 1) as phase,
       (select clock_timestamp() > s.started_at + :in_flight_ms * interval '1 millisecond'
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
