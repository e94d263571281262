/** What the function is called with: whose statement it is, as JSON; its text; its values as texts. */
const PARAMETERS = 'p_order jsonb, p_statement text, p_arguments text[]';

/** Its name holds its version: another body is another function, which every release of ours creates for itself. */
export const RUN_STATEMENT = 'forerun.run_statement_1';

/**
 * Effect and record of a statement in one transaction. An error within the service's limit goes to the caller; a later one
 * meets nobody, so its code and the names in it are kept (never its message, which may hold row values). A cancelled
 * statement is caught too: otherwise nothing would tell it from one that never ran.
 */
const BODY = `
declare
  v_affected bigint;
  v_state text;
  v_constraint text;
  v_table text;
  v_column text;
begin
  update forerun.lease l
  set revision = l.revision + 1, expires_at = pg_catalog.clock_timestamp() + cast(p_order ->> 'lease' as interval)
  where l.history = p_order ->> 'history' and l.name = 'run'
    and l.token = cast(p_order ->> 'token' as bigint) and l.holder = p_order ->> 'run'
    and exists (select from forerun.run r where r.id = p_order ->> 'run' and r.finished_at is null);
  if not found or (p_order ->> 'direction' = 'up') <> (not exists (
    select from forerun.migration m where m.history = p_order ->> 'history' and m.id = p_order ->> 'migration'))
  then return pg_catalog.jsonb_build_object('ended', 'fenced'); end if;
  insert into forerun.statement as s (history, migration, direction, number, digest, state, run_id)
  values (p_order ->> 'history', p_order ->> 'migration', p_order ->> 'direction', cast(p_order ->> 'number' as integer),
          p_order ->> 'digest', 'done', p_order ->> 'run')
  on conflict (history, migration, direction, number) do update
    set digest = excluded.digest, state = 'done', run_id = excluded.run_id, sqlstate = null, facts = null,
        started_at = pg_catalog.clock_timestamp()
    where s.state = 'failed';
  if not found then return pg_catalog.jsonb_build_object('ended', 'taken'); end if;
  perform pg_catalog.set_config('lock_timeout', p_order ->> 'lock_timeout', true);
  begin
    if pg_catalog.cardinality(p_arguments) = 0 then execute p_statement; else execute p_statement using p_arguments; end if;
    get diagnostics v_affected = row_count;
    set constraints all immediate;
  exception when query_canceled or others then
    if pg_catalog.clock_timestamp() < pg_catalog.statement_timestamp() + cast(p_order ->> 'patience' as interval) then raise; end if;
    get stacked diagnostics v_state = returned_sqlstate, v_constraint = constraint_name,
      v_table = table_name, v_column = column_name;
    update forerun.statement s
    set state = 'failed', sqlstate = v_state,
        facts = pg_catalog.concat_ws(', ', 'constraint ' || nullif(v_constraint, ''), 'table ' || nullif(v_table, ''),
                          'column ' || nullif(v_column, ''))
    where s.history = p_order ->> 'history' and s.migration = p_order ->> 'migration'
      and s.direction = p_order ->> 'direction' and s.number = cast(p_order ->> 'number' as integer);
    return pg_catalog.jsonb_build_object('ended', 'failed', 'sqlState', v_state);
  end;
  update forerun.statement s set affected = v_affected, finished_at = pg_catalog.clock_timestamp()
  where s.history = p_order ->> 'history' and s.migration = p_order ->> 'migration'
    and s.direction = p_order ->> 'direction' and s.number = cast(p_order ->> 'number' as integer);
  return pg_catalog.jsonb_build_object('ended', 'done', 'affected', v_affected);
end`;

/** Creates the journal's function; `literal` quotes a text as the place needs it in which this stands. */
export function runStatementFunction(literal: (text: string) => string): string {
  return `create or replace function ${RUN_STATEMENT}(${PARAMETERS}) returns jsonb language plpgsql as ${literal(BODY)}`;
}
