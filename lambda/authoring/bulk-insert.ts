import type { MigrationTools } from '../engine/migration.ts';
import type { Session } from '../engine/ports.ts';
import { encodeRow, rowRefused } from './bulk-row.ts';
import { quoteIdentifier, quoteName } from './quote-name.ts';
import type { Table } from './table.ts';

export interface BulkInsertOptions {
  /** `nothing` passes over rows that a unique index holds already; by default such a row is an error. */
  readonly onConflict?: 'nothing';
}

export interface BulkInsertResult {
  /** Rows inserted; those passed over are not counted. */
  readonly rows: number;
  /** Calls of the Data API. */
  readonly calls: number;
}

/** Where a bulk insert works. */
export interface BulkInsert {
  readonly session: Session;
  readonly tools: MigrationTools;
  readonly table: Table;
  readonly options: BulkInsertOptions;
}

/**
 * The service takes 4 MiB a request, headers and JSON syntax included (documentation of BatchExecuteStatement). A
 * quarter is kept free: for those, and because a smaller statement stays clear of the 45 s a call may last.
 */
const MAX_CALL_BYTES = 3 * 1024 * 1024;

/** Rows with the same keys that travel in one call. */
interface Packet {
  readonly columns: readonly string[];
  rows: string[];
  bytes: number;
}

/**
 * Inserts rows packed into JSON: one text parameter a call, a list of lists of texts, unpacked on the server and cast
 * to the types of the columns. Numbers travel as text, so they stay exact. Rows are grouped by their keys, so that an
 * absent key (or `undefined`) gets the column's default; `null` is SQL's null and `jsonNull` JSON's own. The order of
 * rows is kept within such a group.
 */
export async function bulkInsert(
  work: BulkInsert,
  rows: Iterable<object> | AsyncIterable<object>,
): Promise<BulkInsertResult> {
  const packets = new Map<string, Packet>();
  let result: BulkInsertResult = { rows: 0, calls: 0 };
  let waiting = 0;
  let number = 0;
  for await (const row of rows) {
    number += 1;
    const { columns, json, bytes } = encodeRow(work.table, row, number);
    if (bytes > MAX_CALL_BYTES) {
      throw rowRefused(work.table, number, `is larger than one call takes (${MAX_CALL_BYTES} bytes).`);
    }
    if (waiting + bytes > MAX_CALL_BYTES) {
      const largest = largestOf(packets);
      result = await send(work, largest, result);
      waiting -= largest.bytes;
      largest.rows = [];
      largest.bytes = 0;
    }
    const key = columns.join('\u0000');
    const packet = packets.get(key) ?? { columns, rows: [], bytes: 0 };
    packets.set(key, packet);
    packet.rows.push(json);
    packet.bytes += bytes;
    waiting += bytes;
  }
  for (const packet of packets.values()) result = await send(work, packet, result);
  return result;
}

async function send(work: BulkInsert, packet: Packet, sofar: BulkInsertResult): Promise<BulkInsertResult> {
  if (packet.rows.length === 0) return sofar;
  const { session, table, tools, options } = work;
  const statement = {
    sql: statementText(table, packet.columns, options),
    parameters: { rows: `[${packet.rows.join(',')}]` },
  };
  const { affected } = await session.execute(statement, { rows: false });
  const result = { rows: sofar.rows + affected, calls: sofar.calls + 1 };
  tools.progress(`${table.name}: rows inserted ${result.rows}, calls ${result.calls}`);
  return result;
}

/** `json`, not `jsonb`: nothing is reordered or normalised, and reading text out of it is the faster of the two. */
function statementText(table: Table, columns: readonly string[], { onConflict }: BulkInsertOptions): string {
  const values = columns.map(
    (column, at) => `cast(r.cells ->> ${at} as ${table.types.get(column)?.sql ?? 'text'})`,
  );
  return [
    `insert into ${quoteName(table.name)} (${columns.map((column) => quoteIdentifier(column)).join(', ')})`,
    `select ${values.join(', ')}`,
    'from json_array_elements(cast(:rows as json)) as r(cells)',
    ...(onConflict === 'nothing' ? ['on conflict do nothing'] : []),
  ].join('\n');
}

function largestOf(packets: ReadonlyMap<string, Packet>): Packet {
  let largest: Packet = { columns: [], rows: [], bytes: 0 };
  for (const packet of packets.values()) {
    if (packet.bytes > largest.bytes) largest = packet;
  }
  return largest;
}
