import { ForerunError } from '../engine/errors.ts';
import type { MigrationTools } from '../engine/migration.ts';
import type { Session, Statement } from '../engine/ports.ts';
import { addRow, emptyPacket, halves, unpacking, type Packet, type Unpacking } from './bulk-packet.ts';
import { encodeRow, rowRefused, type EncodedRow, type RowName, type RowRules } from './bulk-row.ts';
import { keyFinder } from './bulk-row-of-key.ts';
import { areTextRows, fileOfRows } from './bulk-text.ts';
import { requestBytes } from './request-bytes.ts';
import type { Table } from './table.ts';

/** Rows of a bulk operation; they are read once and never held together. */
export type BulkRows = Iterable<object> | AsyncIterable<object>;

/** Where a bulk operation works. */
export interface BulkPlace {
  readonly session: Session;
  readonly tools: MigrationTools;
  readonly table: Table;
}

/** What one bulk operation does with the rows that the packing brings together. */
export interface BulkWork {
  readonly required: readonly string[];
  readonly texts: boolean;
  readonly rowsPerCall: number | undefined;
  /** Looks at a row before it is packed; a refusal speaks of it by its name. */
  look(row: EncodedRow, name: RowName): void;
  statement(columns: readonly string[], unpacked: Unpacking): string;
  send(statement: Statement, packet: Packet): Promise<void>;
}

/**
 * The service takes 4 MiB a request, headers and JSON syntax included. What is kept free holds the statement, which is
 * counted once more before it goes out, the names of cluster, secret and transaction, and the headers.
 */
const REQUEST_BYTES = 4 * 1024 * 1024;
const KEPT_FREE = 32 * 1024;

/** The service's limit for a statement, less what the run writes before it. */
const STATEMENT_CHARACTERS = 64 * 1024 - 1024;

/**
 * Reads the rows and sends them in as few calls as the limits allow. Rows with the same keys share calls, because an
 * absent key (or `undefined`) gets the column's default, which only a statement without the column gives. At most one
 * request's worth of values is held. The order of rows is kept among rows with the same keys.
 */
export async function packRows(table: Table, rows: BulkRows, work: BulkWork): Promise<void> {
  const rules: RowRules = { table, required: work.required, texts: work.texts || areTextRows(rows) };
  const mostRows = rowsPerCall(table, work.rowsPerCall);
  const file = fileOfRows(rows);
  const place = { table, of: file === undefined ? '' : ` of ${file}` };
  const packets = new Map<string, Packet>();
  let waiting = 0;
  let number = 0;
  for await (const row of rowsOf(table, rows)) {
    number += 1;
    const name = `${number}${place.of}`;
    const encoded = encodeRow(rules, row, name);
    if (encoded.bytes > REQUEST_BYTES - KEPT_FREE) throw tooLarge(table, name);
    work.look(encoded, name);
    if (waiting + encoded.bytes > REQUEST_BYTES - KEPT_FREE) {
      const [key, largest] = largestOf(packets);
      packets.delete(key);
      waiting -= largest.bytes;
      await sendPacket(place, largest, work);
    }
    const key = encoded.columns.toSorted().join('\u0000');
    const packet = packets.get(key) ?? emptyPacket(encoded.columns);
    packets.set(key, packet);
    addRow(packet, inOrderOf(packet, encoded), number);
    waiting += encoded.bytes;
    if (packet.numbers.length < mostRows) continue;
    packets.delete(key);
    waiting -= packet.bytes;
    await sendPacket(place, packet, work);
  }
  for (const packet of packets.values()) await sendPacket(place, packet, work);
}

/** What the rows are for, and the words that tell where they come from. */
interface RowsPlace {
  readonly table: Table;
  readonly of: string;
}

async function sendPacket(place: RowsPlace, packet: Packet, work: BulkWork): Promise<void> {
  const { table, of } = place;
  const first = `${packet.numbers[0] ?? 0}${of}`;
  const unpacked = unpacking(packet, table.types);
  const sql = work.statement(packet.columns, unpacked);
  if (sql.length > STATEMENT_CHARACTERS) {
    throw rowRefused(
      table,
      first,
      `names ${packet.columns.length} columns, too many for one statement (64 Ki characters).`,
    );
  }
  if (unpacked.bytes + requestBytes(sql) > REQUEST_BYTES - KEPT_FREE / 2) {
    if (packet.numbers.length === 1) throw tooLarge(table, first);
    for (const half of halves(packet)) await sendPacket(place, half, work);
    return;
  }
  await work.send(
    { sql: `${rowsTag(packet, of)} ${sql}`, parameters: unpacked.parameters, rowOfKey: keyFinder(packet) },
    packet,
  );
}

/** Shown when the statement fails, so that a reader knows among which rows to look. */
function rowsTag({ numbers }: Packet, of: string): string {
  return `/* rows ${numbers[0] ?? 0} to ${numbers.at(-1) ?? 0}${of.replaceAll('*', '')} */`;
}

/** Keys may come in another order in each row. */
function inOrderOf({ columns }: Packet, row: EncodedRow): EncodedRow {
  if (columns.every((column, at) => column === row.columns[at])) return row;
  return { ...row, cells: columns.map((column) => row.cells[row.columns.indexOf(column)] ?? null) };
}

function largestOf(packets: ReadonlyMap<string, Packet>): readonly [string, Packet] {
  let largest: readonly [string, Packet] = ['', emptyPacket([])];
  for (const entry of packets) if (entry[1].bytes > largest[1].bytes) largest = entry;
  return largest;
}

function rowsOf(table: Table, rows: BulkRows): BulkRows {
  // A module without types may hand in anything.
  const given: unknown = rows;
  if (
    typeof given === 'object' &&
    given !== null &&
    (Symbol.iterator in given || Symbol.asyncIterator in given)
  )
    return rows;
  throw new ForerunError('rows-refused', {
    what: `The rows for ${table.name} are no array, iterable or async iterable.`,
    state: 'Nothing was sent for them.',
    next: 'Hand in an array of rows, also for one row.',
  });
}

function rowsPerCall(table: Table, given = Infinity): number {
  if (given === Infinity || (Number.isInteger(given) && given > 0)) return given;
  throw new ForerunError('rows-refused', {
    what: `"rowsPerCall" for ${table.name} must be a whole number from 1.`,
    state: 'Nothing was sent for it.',
    next: 'Leave it out, or write for example rowsPerCall: 10_000.',
  });
}

function tooLarge(table: Table, name: RowName): ForerunError {
  return rowRefused(table, name, 'is larger than one call takes (4 MiB).');
}
