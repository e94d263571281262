import { ForerunError } from '../engine/errors.ts';
import type { MigrationTools } from '../engine/migration.ts';
import type { Row, Session } from '../engine/ports.ts';
import { columnList, seenKeys } from './bulk-keys.ts';
import { castCell, quoted } from './bulk-packet.ts';
import { packRows, type BulkRows } from './bulk-packing.ts';
import { quoteIdentifier, quoteName } from './quote-name.ts';
import type { Table } from './table.ts';

export interface SyncOptions<Column extends string = string> {
  /** The natural key: the columns by which a row is known. Every row must name them, and no two rows may have the same key. */
  readonly key: Column | readonly Column[];
  /**
   * What happens to rows of the table that are not among the given ones: `keep` counts them, `delete` removes them, `refuse`
   * fails the migration. @default 'keep'
   */
  readonly extra?: 'keep' | 'delete' | 'refuse';
  /** As for `op.bulkInsert`. @default false */
  readonly texts?: boolean;
}

/** What a sync found and did, in rows. */
export interface SyncResult {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Rows of the table that are not among the given ones; removed where `extra` says `delete`. */
  readonly extra: number;
}

/** A sync: where, and how. */
export interface Sync {
  readonly session: Session;
  readonly tools: MigrationTools;
  readonly table: Table;
  readonly options: SyncOptions;
}

/** In the session's own schema, so that no table of the app can be meant. */
const GIVEN = 'pg_temp.forerun_given';

/**
 * Makes the rows of a table equal to the given ones and tells the difference. The given rows go into a temporary table
 * first, so that one statement can compare them with what is there.
 */
export async function syncRows(
  { session, tools, table, options }: Sync,
  rows: BulkRows,
): Promise<SyncResult> {
  if (!tools.inTransaction) throw needsTransaction(table);
  const key = columnList(table, options.key, 'key', false);
  const columns = Object.keys(table.columns).filter((name) => table.columns[name]?.presence !== 'generated');
  const generated = key.find((name) => !columns.includes(name));
  if (generated !== undefined) throw generatedKey(table, generated);
  const name = quoteName(table.name);
  const send = (sql: string) => session.execute({ sql }, { rows: false });
  await send(
    `create temporary table ${quoteName(GIVEN.slice('pg_temp.'.length))} on commit drop as select ${quoted(columns)} from ${name} with no data`,
  );
  await packRows(table, rows, {
    required: columns,
    texts: options.texts ?? false,
    rowsPerCall: undefined,
    look: seenKeys(table, key),
    statement: (named, { from, where }) =>
      [
        `insert into ${quoteName(GIVEN)} (${quoted(named)})`,
        `select ${named.map((column, at) => castCell(table.types.get(column), at)).join(', ')}`,
        `from ${from} where ${where}`,
      ].join('\n'),
    send: async (statement) => {
      await session.execute(statement, { rows: false });
    },
  });
  const compared = await session.execute(
    { sql: compareSql(table, key, columns, options.extra === 'delete') },
    { rows: true },
  );
  await send(`drop table ${quoteName(GIVEN)}`);
  const result = resultOf(compared.rows[0]);
  tools.progress(sentence(table, result, options.extra === 'delete'));
  if (options.extra === 'refuse' && result.extra > 0) throw extraRows(table, result.extra);
  return result;
}

/** All parts of one statement see the table as it was before it. */
function compareSql(
  table: Table,
  key: readonly string[],
  columns: readonly string[],
  removes: boolean,
): string {
  const name = quoteName(table.name);
  const given = quoteName(GIVEN);
  const same = key
    .map((column) => `t.${quoteIdentifier(column)} = s.${quoteIdentifier(column)}`)
    .join(' and ');
  const others = columns.filter((column) => !key.includes(column));
  const differs = others
    .map((column) => `${comparable('t', column, table)} is distinct from ${comparable('s', column, table)}`)
    .join(' or ');
  const set = others.map((column) => `${quoteIdentifier(column)} = s.${quoteIdentifier(column)}`).join(', ');
  const alone = `from ${name} as t where not exists (select from ${given} as s where ${same})`;
  return [
    'with updated as (',
    others.length === 0
      ? 'select 1 where false'
      : `update ${name} as t set ${set} from ${given} as s where ${same} and (${differs}) returning 1`,
    '), inserted as (',
    `insert into ${name} (${quoted(columns)}) select ${quoted(columns)} from ${given} as s`,
    `where not exists (select from ${name} as t where ${same}) returning 1`,
    '), extra as (',
    removes ? `delete ${alone} returning 1` : `select 1 ${alone}`,
    `) select (select count(*) from ${given}) as given, (select count(*) from inserted) as inserted,`,
    '(select count(*) from updated) as updated, (select count(*) from extra) as extra',
  ].join('\n');
}

/** Some types have no equality in PostgreSQL: json has it as jsonb, the others as text. */
function comparable(alias: string, column: string, { types }: Table): string {
  const place = `${alias}.${quoteIdentifier(column)}`;
  const type = types.get(column);
  if (type?.family === 'json') return `cast(${place} as jsonb)`;
  const family = type?.element?.family ?? type?.family;
  return family === 'json' || family === 'other' ? `cast(${place} as text)` : place;
}

function resultOf(row: Row | undefined): SyncResult {
  const count = (name: string): number => Number(row?.[name] ?? 0);
  const [inserted, updated] = [count('inserted'), count('updated')];
  return { inserted, updated, unchanged: count('given') - inserted - updated, extra: count('extra') };
}

function sentence({ name }: Table, result: SyncResult, removes: boolean): string {
  const { inserted, updated, unchanged, extra } = result;
  const rest = extra === 0 ? '' : `, ${extra} extra ${removes ? 'removed' : 'kept'}`;
  return `${name}: ${inserted} inserted, ${updated} updated, ${unchanged} unchanged${rest}`;
}

function needsTransaction({ name }: Table): ForerunError {
  return new ForerunError('statement-refused', {
    what: `op.syncRows for ${name} compares the rows within one transaction, and this migration has none.`,
    state: 'Nothing was sent for it.',
    next: 'Put it into a migration of its own, without transaction: false and long: true.',
  });
}

function generatedKey({ name }: Table, column: string): ForerunError {
  return new ForerunError('rows-refused', {
    what: `"key" for ${name} names the column "${column}", which the database computes.`,
    state: 'Nothing was sent for it.',
    next: 'Name the columns by which people know a row.',
  });
}

function extraRows({ name }: Table, count: number): ForerunError {
  return new ForerunError('rows-refused', {
    what: `The table ${name} holds ${count === 1 ? 'a row that is' : `${count} rows that are`} not among the given ones.`,
    state: 'Nothing of it stays.',
    next: "Add them to the given rows, or say extra: 'keep' or extra: 'delete'.",
  });
}
