import { ForerunError } from '../engine/errors.ts';
import type { Row } from '../engine/ports.ts';
import { columnList, seenKeys } from './bulk-keys.ts';
import { castCell, type Packet, type Unpacking } from './bulk-packet.ts';
import { packRows, type BulkPlace, type BulkRows } from './bulk-packing.ts';
import { rowRefused } from './bulk-row.ts';
import { quoteIdentifier, quoteName } from './quote-name.ts';
import type { Table } from './table.ts';

export interface BulkUpdateOptions<Column extends string = string> {
  /** The columns by which a row of the table is found. Every row must name them, and no two rows may have the same key. */
  readonly key: Column | readonly Column[];
  /**
   * What happens when the table has no row with a key: `refuse` fails the migration and names the rows, `pass-over` counts
   * them. @default 'refuse'
   */
  readonly notFound?: 'refuse' | 'pass-over';
  /** As for `op.bulkInsert`. @default false */
  readonly texts?: boolean;
  /** As for `op.bulkInsert`. @default as many as 4 MiB hold */
  readonly rowsPerCall?: number;
}

export interface BulkUpdateResult {
  /** Rows of the table that were updated; more than were given, where a key is not unique in the table. */
  readonly rows: number;
  /** Rows given whose key the table does not have. */
  readonly notFound: number;
  /** Calls of the Data API. */
  readonly calls: number;
}

/** A bulk update: where, and how. */
export interface BulkUpdate extends BulkPlace {
  readonly options: BulkUpdateOptions;
}

/** Numbers of rows that a refusal names. */
const SHOWN_ROWS = 5;

/** Updates rows found by their key; only the columns that a row names change. Packed as `bulkInsert` packs. */
export async function bulkUpdate(
  { session, tools, table, options }: BulkUpdate,
  rows: BulkRows,
): Promise<BulkUpdateResult> {
  const key = columnList(table, options.key, 'key', false);
  const look = seenKeys(table, key);
  const strict = options.notFound !== 'pass-over';
  let result: BulkUpdateResult = { rows: 0, notFound: 0, calls: 0 };
  await packRows(table, rows, {
    required: key,
    texts: options.texts ?? false,
    rowsPerCall: options.rowsPerCall,
    look(row, name) {
      look(row, name);
      if (row.columns.length === key.length)
        throw rowRefused(table, name, 'names no column besides its key.');
    },
    statement: (columns, unpacked) => updateSql({ table, key, strict }, columns, unpacked),
    async send(statement, packet) {
      const { rows: answer } = await session.execute(statement, { rows: true });
      const lost = Number(answer[0]?.['lost'] ?? 0);
      const twice = Number(answer[0]?.['twice'] ?? 0);
      if (twice > 0) throw keyTwice(table, key, packet, answer[0] ?? {}, twice);
      if (strict && lost > 0) throw notFound(table, key, packet, answer[0] ?? {}, lost);
      result = {
        rows: result.rows + Number(answer[0]?.['updated'] ?? 0),
        notFound: result.notFound + lost,
        calls: result.calls + 1,
      };
      const missing = result.notFound === 0 ? '' : `, not found ${result.notFound}`;
      tools.progress(`${table.name}: rows updated ${result.rows}${missing}, calls ${result.calls}`);
    },
  });
  return result;
}

interface Update {
  readonly table: Table;
  readonly key: readonly string[];
  readonly strict: boolean;
}

/**
 * `s` are the rows as sent and `u` the update. Two rows with one key, and without `pass-over` a row that is not found,
 * keep the whole call from changing anything.
 */
function updateSql({ table, key, strict }: Update, columns: readonly string[], unpacked: Unpacking): string {
  const name = quoteName(table.name);
  const cells = columns.map((column, at) => `${castCell(table.types.get(column), at)} as c${at}`);
  const keys = key.map((column) => ({
    column: `t.${quoteIdentifier(column)}`,
    cell: `s.c${columns.indexOf(column)}`,
  }));
  const sets = columns.flatMap((column, at) =>
    key.includes(column) ? [] : [`${quoteIdentifier(column)} = s.c${at}`],
  );
  const matches = keys.map(({ column, cell }) => `${column} = ${cell}`).join(' and ');
  return [
    `with s as materialized (select ${cells.join(', ')}, r.at from ${unpacked.from} where ${unpacked.where}),`,
    `twice as materialized (select max(s.at) as at from s group by ${keys.map(({ cell }) => cell).join(', ')} having count(*) > 1),`,
    `lost as materialized (select s.at from s where not exists (select from ${name} as t where ${matches})),`,
    `u as (update ${name} as t set ${sets.join(', ')} from s where ${matches} and not exists (select from twice)`,
    ...(strict ? ['and not exists (select from lost)'] : []),
    'returning 1)',
    'select (select count(*) from u) as updated, (select count(*) from lost) as lost, (select count(*) from twice) as twice,',
    `array(select at::text from lost order by lost.at limit ${SHOWN_ROWS}) as lost_at,`,
    `array(select at::text from twice order by twice.at limit ${SHOWN_ROWS}) as twice_at`,
  ].join('\n');
}

const CHANGED_NOTHING = 'The call changed nothing; calls before it are part of the open transaction.';

function notFound(
  table: Table,
  key: readonly string[],
  packet: Packet,
  answer: Row,
  lost: number,
): ForerunError {
  return new ForerunError('rows-refused', {
    what: `${table.name} has no row with the key (${key.join(', ')}) of ${rowsInWords(packet, answer['lost_at'], lost)}.`,
    state: CHANGED_NOTHING,
    next: "Leave the rows out, insert them before (op.bulkInsert with onConflict), or pass over them with notFound: 'pass-over'.",
  });
}

/** Keys that are written differently and yet equal, such as `1.0` and `1.00`, are only seen in the database. */
function keyTwice(
  table: Table,
  key: readonly string[],
  packet: Packet,
  answer: Row,
  twice: number,
): ForerunError {
  return new ForerunError('rows-refused', {
    what: `The key (${key.join(', ')}) of ${rowsInWords(packet, answer['twice_at'], twice)} for ${table.name} stands in a row before, too.`,
    state: CHANGED_NOTHING,
    next: 'Bring the rows with the same key together where they are made.',
  });
}

function rowsInWords({ numbers }: Packet, found: unknown, count: number): string {
  const positions = Array.isArray(found) ? found.map(Number) : [];
  const shown = positions.map((position) => numbers[position - 2]).join(', ');
  if (count === 1) return `row ${shown}`;
  return count > positions.length ? `${count} rows (${shown}, …)` : `rows ${shown}`;
}
