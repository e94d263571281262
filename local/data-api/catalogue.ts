import type { Session } from './session.ts';
import { BUILT_IN_TYPES, type ColumnType } from './type-names.ts';
import type { WireColumn } from './wire.ts';

const UNKNOWN: ColumnType = { name: 'unknown', element: undefined, isEnum: false, display: 'UNKNOWN' };

const READ_TYPES = `
  select t.oid::text, t.typname::text, t.typtype::text,
         case when e.typarray = t.oid then e.typname::text end
    from pg_catalog.pg_type t
    left join pg_catalog.pg_type e on e.oid = t.typelem
   where t.oid = any ($1::pg_catalog.oid[])`;

/** The types of result columns; those that are not built in are asked for. */
export async function columnTypes(
  session: Session,
  columns: readonly WireColumn[],
): Promise<readonly ColumnType[]> {
  const strange = columns.map(({ dataTypeID }) => dataTypeID).filter((oid) => !BUILT_IN_TYPES.has(oid));
  const found = new Map<number, ColumnType>();
  if (strange.length > 0) {
    for (const [oid, name, kind, element] of await session.read(READ_TYPES, [strange])) {
      found.set(Number(oid), {
        name: name ?? '',
        element: element ?? undefined,
        isEnum: kind === 'e',
        display: element === null || element === undefined ? (name ?? '') : `${element}[]`,
      });
    }
  }
  return columns.map(({ dataTypeID }) => BUILT_IN_TYPES.get(dataTypeID) ?? found.get(dataTypeID) ?? UNKNOWN);
}

/** Where a result column comes from. */
export interface ColumnOrigin {
  readonly column: string;
  readonly table: string;
  readonly schema: string;
  readonly notNull: boolean;
  readonly autoIncrement: boolean;
}

const READ_ORIGINS = `
  select a.attrelid::text, a.attnum::text, a.attname::text, c.relname::text, n.nspname::text, a.attnotnull::text,
         (a.attidentity <> '' or coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') like 'nextval(%')::text
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where a.attrelid = any ($1::pg_catalog.oid[])`;

/** The table columns behind result columns; undefined for an expression. */
export async function columnOrigins(
  session: Session,
  columns: readonly WireColumn[],
): Promise<readonly (ColumnOrigin | undefined)[]> {
  const tables = columns.map(({ tableID }) => tableID).filter((oid) => oid !== 0);
  const origins = new Map<string, ColumnOrigin>();
  if (tables.length > 0) {
    for (const [table, number, column, name, schema, notNull, auto] of await session.read(READ_ORIGINS, [
      tables,
    ])) {
      origins.set(`${table} ${number}`, {
        column: column ?? '',
        table: name ?? '',
        schema: schema ?? '',
        notNull: notNull === 'true',
        autoIncrement: auto === 'true',
      });
    }
  }
  return columns.map(({ tableID, columnID }) => origins.get(`${tableID} ${columnID}`));
}
