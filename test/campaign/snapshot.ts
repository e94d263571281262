import { escapeIdentifier, escapeLiteral, type Client } from 'pg';

/** A whole database as data: what two runs must agree on, and nothing that may differ between them. */
export interface Snapshot {
  /** All rows of the app's tables, the catalog and the journal without times and run ids. */
  readonly text: string;
  /** Rows and the numbers in them, added up: more than expected means that something counted twice. */
  readonly weight: number;
}

const CATALOG = `
select 'column' as kind, format('%s.%s', a.attrelid::regclass, a.attname) as name,
       format('%s %s %s', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid)) as what
from pg_attribute a join pg_class c on c.oid = a.attrelid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm') and c.relnamespace in (select oid from ours)
union all
select 'index', indexrelid::regclass::text, format('%s valid %s', pg_get_indexdef(indexrelid), indisvalid)
from pg_index join pg_class c on c.oid = indexrelid where c.relnamespace in (select oid from ours)
union all
select 'constraint', format('%s on %s', conname, conrelid::regclass), pg_get_constraintdef(oid)
from pg_constraint where connamespace in (select oid from ours)
union all
select 'enum', enumtypid::regtype::text, enumlabel from pg_enum
union all
select 'function', oid::regprocedure::text, prosrc from pg_proc where pronamespace in (select oid from ours)
union all
select 'trigger', tgname::text, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
order by 1, 2, 3`;

/** Identity and sequence positions are left out: PostgreSQL does not take them back in a rollback either. */
const OURS = `with ours as (
  select oid from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'forerun_test')
)`;

const TABLES = `
select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'forerun')
order by 1`;

/** `ignored` are tables that a tool keeps for itself. */
export async function takeSnapshot(client: Client, ignored: readonly string[] = []): Promise<Snapshot> {
  const catalog = (await client.query(`${OURS} ${CATALOG}`)).rows;
  const names = (await client.query<{ name: string }>(TABLES)).rows.map(({ name }) => name);
  const tables = names.filter((name) => !ignored.includes(name));
  const rows =
    tables.length === 0 ? [] : (await client.query<TableRows>(tables.map(rowsOf).join(' union all '))).rows;
  const journal = catalog.some((row: { name: string }) => row.name.startsWith('forerun.migration'))
    ? (await client.query(JOURNAL)).rows
    : [];
  return { text: JSON.stringify({ catalog, rows, journal }), weight: weightOf(rows) };
}

interface TableRows {
  readonly name: string;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

function rowsOf(name: string): string {
  const [schema = '', table = ''] = name.split('.');
  const quoted = name.includes('"') ? name : `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`;
  return `select ${escapeLiteral(name)} as name, coalesce((select jsonb_agg(to_jsonb(t) order by to_jsonb(t)::text) from ${quoted} t), '[]') as rows`;
}

const JOURNAL = `
select (select jsonb_agg(jsonb_build_array(history, id, checksum, after, compatible) order by history, id) from forerun.migration) as migrations,
       (select jsonb_agg(jsonb_build_array(history, id, checksum) order by history, id) from forerun.repeatable) as repeatables,
       (select count(*) from forerun.statement) as statements,
       (select jsonb_agg(jsonb_build_array(kind, migration) order by id) from forerun.event) as events,
       (select jsonb_agg(version) from forerun.installation) as versions,
       (select jsonb_agg(jsonb_build_array(history, name)) from forerun.lease) as leases`;

function weightOf(tables: readonly TableRows[]): number {
  const numbers = tables
    .flatMap(({ rows }) => rows.flatMap((row) => Object.values(row)))
    .filter((value) => typeof value === 'number');
  return (
    numbers.reduce((sum, value) => sum + value, 0) + tables.reduce((sum, { rows }) => sum + rows.length, 0)
  );
}
