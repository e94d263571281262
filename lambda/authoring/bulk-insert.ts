import { conflictSql, keyOf, type OnConflict } from './bulk-conflict.ts';
import { seenKeys } from './bulk-keys.ts';
import { castCell, quoted, type Unpacking } from './bulk-packet.ts';
import { packRows, type BulkPlace, type BulkRows } from './bulk-packing.ts';
import { quoteIdentifier, quoteName } from './quote-name.ts';
import type { Table } from './table.ts';

export interface BulkInsertOptions<Column extends string = string> {
  /**
   * What happens to a row that a unique index holds already: `'nothing'` passes over it; `{ key, update }` updates the
   * row that has the same key. By default such a row is an error of the database (SQLSTATE 23505).
   */
  readonly onConflict?: OnConflict<Column>;
  /**
   * Every value is a text as PostgreSQL reads it, json columns included. Rows from an imported CSV file are marked so by
   * themselves. @default false
   */
  readonly texts?: boolean;
  /**
   * Most rows a call, for a table whose triggers or indexes are so slow that a full call would take more than the 45 seconds
   * which the service allows. @default as many as 4 MiB hold
   */
  readonly rowsPerCall?: number;
}

export interface BulkInsertResult {
  /** Rows written: `inserted` and `updated` together. */
  readonly rows: number;
  readonly inserted: number;
  /** Rows that were there and were updated, with `onConflict: { key }` only. */
  readonly updated: number;
  /** Rows that were there and were left as they are. */
  readonly passedOver: number;
  /** Calls of the Data API. */
  readonly calls: number;
}

/** A bulk insert: where, and how. */
export interface BulkInsert extends BulkPlace {
  readonly options: BulkInsertOptions;
}

/** Inserts rows, packed; see `packRows` for how, and `unpacking` for the form in which they travel. */
export async function bulkInsert(
  { session, tools, table, options }: BulkInsert,
  rows: BulkRows,
): Promise<BulkInsertResult> {
  const { onConflict } = options;
  const key = keyOf(table, onConflict);
  const seen = key === undefined ? undefined : seenKeys(table, key);
  const updates = typeof onConflict === 'object' && onConflict.update?.length !== 0;
  let result: BulkInsertResult = { rows: 0, inserted: 0, updated: 0, passedOver: 0, calls: 0 };
  await packRows(table, rows, {
    required: [...requiredColumns(table), ...(key ?? [])],
    texts: options.texts ?? false,
    rowsPerCall: options.rowsPerCall,
    look: (row, name) => {
      if (updates) seen?.(row, name);
    },
    statement: (columns, unpacked) => {
      const clause = conflictSql(onConflict, columns);
      return updates
        ? countingSql(table, key ?? [], columns, unpacked, clause)
        : [...insertSql(table, columns, cellsSql(table, columns), unpacked), ...clause].join('\n');
    },
    async send(statement, { numbers }) {
      const { rows: counted, affected } = await session.execute(statement, { rows: updates });
      const written = updates ? Number(counted[0]?.['written'] ?? 0) : affected;
      const updated = updates ? Number(counted[0]?.['updated'] ?? 0) : 0;
      result = {
        rows: result.rows + written,
        inserted: result.inserted + written - updated,
        updated: result.updated + updated,
        passedOver: result.passedOver + numbers.length - written,
        calls: result.calls + 1,
      };
      tools.progress(progressOf(table, result));
    },
  });
  return result;
}

function requiredColumns({ columns }: Table): readonly string[] {
  return Object.keys(columns).filter((name) => columns[name]?.presence === 'required');
}

function cellsSql({ types }: Table, columns: readonly string[]): readonly string[] {
  return columns.map((column, at) => castCell(types.get(column), at));
}

function insertSql(
  table: Table,
  columns: readonly string[],
  cells: readonly string[],
  { from, where }: Pick<Unpacking, 'from' | 'where'>,
): readonly string[] {
  return [
    `insert into ${quoteName(table.name)} as t (${quoted(columns)})`,
    `select ${cells.join(', ')}`,
    `from ${from} where ${where}`,
  ];
}

/**
 * Tells rows inserted from rows updated. A row that `on conflict` updated was locked for it, which its `xmax` tells; one
 * that was inserted has none. Only a plain table shows `xmax` here (the `case` keeps it from being looked at elsewhere): of
 * a partitioned table or a view, the rows that were there when the statement began are counted, so that a row which
 * somebody else inserts in that moment counts as inserted.
 */
function countingSql(
  table: Table,
  key: readonly string[],
  columns: readonly string[],
  unpacked: Unpacking,
  clause: readonly string[],
): string {
  const name = quoteName(table.name);
  const named = cellsSql(table, columns).map((cell, at) => `${cell} as c${at}`);
  const sent = columns.map((_, at) => `s.c${at}`);
  const matches = key
    .map((column) => `t.${quoteIdentifier(column)} = s.c${columns.indexOf(column)}`)
    .join(' and ');
  return [
    `with s as (select ${named.join(', ')} from ${unpacked.from} where ${unpacked.where}),`,
    'w as (',
    ...insertSql(table, columns, sent, { from: 's', where: 'true' }),
    ...clause,
    `returning case when (select relkind = 'r' from pg_catalog.pg_class where oid = to_regclass('${name.replaceAll("'", "''")}'))`,
    'then t.xmax = 0 end as fresh)',
    'select count(*) as written, case when count(fresh) = count(*) then count(*) filter (where not fresh)',
    `else (select count(*) from s where exists (select from ${name} as t where ${matches})) end as updated from w`,
  ].join('\n');
}

function progressOf(table: Table, { inserted, updated, passedOver, calls }: BulkInsertResult): string {
  const parts = [
    `rows inserted ${inserted}`,
    ...(updated === 0 ? [] : [`updated ${updated}`]),
    ...(passedOver === 0 ? [] : [`passed over ${passedOver}`]),
    `calls ${calls}`,
  ];
  return `${table.name}: ${parts.join(', ')}`;
}
