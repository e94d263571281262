import type { Statement } from '../ports.ts';
import type { Backfill, KeyColumn } from './backfill.ts';

/** What the rows of a batch are told by. */
type Rows = { readonly backfill: Backfill; readonly key: readonly KeyColumn[] };

/** A setting of the transaction that keeps, from the opening of a batch to its end, which rows needed the change. */
const SETTING = 'forerun.batch_rows';

/** `any_row` tells whether a row of the window needs the change; which ones is kept, as they are now, unless the set is frozen. */
export function notedRows({ backfill: { table, frozen }, key }: Rows, rows: Statement): string {
  const noted = frozen
    ? `select exists (select from ${table} where ${rows.sql}) as any_row`
    : `select pg_catalog.set_config('${SETTING}', coalesce(cast(pg_catalog.json_agg(${rowText(table, key)}) as text), '[]'), true) <> '[]' as any_row
  from ${table} where ${rows.sql}`;
  return `forerun_noted as materialized (
  ${noted}
)`;
}

/** The rows of a batch that need the change still; `rows` is null where none may be asked. */
export function dueRows({ backfill: { table }, key }: Rows, rows: Statement | null): Statement {
  if (rows === null) return { sql: 'forerun_due as (select cast(null as json) as forerun_row where false)' };
  return {
    ...rows,
    sql: `forerun_due as materialized (
  select ${rowText(table, key)} as forerun_row from ${table} where exists (select from forerun_ready) and ${rows.sql}
)`,
  };
}

/**
 * Refuses a batch that leaves one of its own rows as if nothing had been done, for the sweep would do it again. A row that
 * came or was written by somebody else since the opening does not count: its version was neither there nor is it ours. The
 * rows of the opening are looked at only if there are any that need the change.
 */
export const STILL_DUE = `'still', case when exists (select from forerun_due) then (
  select forerun.refuse_endless()
  from pg_catalog.json_array_elements(cast(pg_catalog.current_setting('${SETTING}') as json)) as opened (forerun_row)
  join forerun_due due on cast(due.forerun_row ->> 0 as jsonb) = cast(opened.forerun_row ->> 0 as jsonb)
  where case when due.forerun_row ->> 1 = opened.forerun_row ->> 1 then true
             else pg_catalog.pg_xact_status(${nearestTo('cast(due.forerun_row ->> 1 as bigint)')}) = 'in progress' end
  limit 1) end`;

/** A row's key and the transaction that wrote it. A version that one can see is either committed or one's own. */
function rowText(table: string, key: readonly KeyColumn[]): string {
  const texts = key.map(({ column }) => `cast(${table}.${column} as text)`).join(', ');
  return `pg_catalog.json_build_array(pg_catalog.json_build_array(${texts}), cast(${table}.xmin as text))`;
}

/** A transaction's number as the row has it, completed to the one that is nearest to our own. */
function nearestTo(xid: string): string {
  const ahead = 'cast(cast(pg_catalog.pg_current_xact_id() as text) as bigint) + 2147483648';
  return `cast(cast(${ahead} - (${ahead} - ${xid}) % 4294967296 as text) as xid8)`;
}
