import { ask } from '../catalog/connection.ts';

/** A type as the catalog has it, arrays and domains taken apart. */
export interface CatalogType {
  /** Name without schema, as in `pg_type`. */
  readonly name: string;
  /** Quoted where needed, with its schema unless the search path finds it; never with a length. */
  readonly sql: string;
  /** `pg_type.typtype`: b, e, d, r, m, c. */
  readonly sort: string;
  /** Whether PostgreSQL itself brought it. */
  readonly builtIn: boolean;
  /** Name with its schema unless it is in `public`, without quotes. */
  readonly plainName: string;
  /** Members of an enum, in order. */
  readonly labels: readonly string[] | null;
  /** Name of the type below a domain. */
  readonly base: string | null;
}

/** One column of a table as the catalog has it. */
export interface CatalogColumn {
  /** Name with its schema unless it is in `public`. */
  readonly table: string;
  readonly column: string;
  /** Type of the column, or of its elements. */
  readonly type: CatalogType;
  /** Dimensions of an array; 0 where it is none. */
  readonly dimensions: number;
  /** `pg_attribute.atttypmod`: a length, or precision and scale; -1 where there is none. */
  readonly modifier: number;
  readonly takesNull: boolean;
  readonly hasDefault: boolean;
  /** No insert and no update may name it. */
  readonly generated: boolean;
}

/** Columns of every table and view, in their order, without the journal. */
export async function readTables(
  server: Parameters<typeof ask>[0],
  database: string,
): Promise<ReadonlyMap<string, readonly CatalogColumn[]>> {
  const rows = await ask<CatalogColumn>(server, database, COLUMNS);
  return Map.groupBy(rows, ({ table }) => table);
}

const COLUMNS = `
  select
    case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname as "table",
    a.attname as "column",
    jsonb_build_object(
      'name', e.typname,
      'sql', case when en.nspname = 'public' then quote_ident(e.typname) else format_type(e.oid, -1) end,
      'sort', e.typtype,
      'builtIn', en.nspname = 'pg_catalog',
      'plainName', case when en.nspname in ('public', 'pg_catalog') then '' else en.nspname || '.' end || e.typname,
      'labels', (select jsonb_agg(enumlabel order by enumsortorder) from pg_enum where enumtypid = e.oid),
      'base', (select typname from pg_type where oid = e.typbasetype)
    ) as type,
    case when e.oid = t.oid then 0 else greatest(a.attndims, 1) end as dimensions,
    a.atttypmod as modifier,
    not (a.attnotnull or (t.typtype = 'd' and t.typnotnull)) as "takesNull",
    (a.atthasdef or a.attidentity = 'd' or t.typdefault is not null) as "hasDefault",
    (a.attgenerated <> '' or a.attidentity = 'a') as generated
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  -- The element of an array proper; point, name and their like have an element type too.
  join pg_type e on e.oid = case when t.typcategory = 'A' and t.typelem <> 0 then t.typelem else t.oid end
  join pg_namespace en on en.oid = e.typnamespace
  where c.relkind in ('r', 'p', 'v', 'm', 'f')
    and n.nspname not in ('pg_catalog', 'information_schema', 'forerun') and n.nspname !~ '^pg_(toast|temp)'
  order by n.nspname, c.relname, a.attnum`;
