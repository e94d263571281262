import { isQuoted } from './exchanged-quotes.ts';
import { quoteIdentifier } from './quote-name.ts';
import type { EncodedRow } from './bulk-row.ts';
import type { Table } from './table.ts';
import type { ValueType } from './value-type.ts';

/** Rows with the same columns that travel in one call, kept column by column. */
export interface Packet {
  readonly columns: readonly string[];
  readonly cells: readonly (string | null)[][];
  /** Numbers of its rows, from 1, in the order of the cells. */
  readonly numbers: number[];
  /** What the values cost inside the request, each with one character to part it from the next. */
  bytes: number;
}

export function emptyPacket(columns: readonly string[]): Packet {
  return { columns, cells: columns.map(() => []), numbers: [], bytes: 0 };
}

export function addRow(packet: Packet, row: EncodedRow, number: number): void {
  for (const [at, cell] of row.cells.entries()) packet.cells[at]?.push(cell);
  packet.numbers.push(number);
  packet.bytes += row.bytes;
}

/** Both halves of a packet that turned out too large. */
export function halves(packet: Packet): readonly Packet[] {
  const middle = Math.ceil(packet.numbers.length / 2);
  const bytes = packet.bytes / 2;
  return [
    [0, middle],
    [middle, packet.numbers.length],
  ].map(([from, to]) => ({
    columns: packet.columns,
    cells: packet.cells.map((cells) => cells.slice(from, to)),
    numbers: packet.numbers.slice(from, to),
    bytes,
  }));
}

/** A packet as it travels: the SQL that makes rows of it again, and one text for each column. */
export interface Unpacking {
  /** Gives the columns `c0`, `c1`, … as texts and `at`, which is 2 for the first row. */
  readonly from: string;
  /** `from` holds one row too many, the first; this leaves it out. */
  readonly where: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Bytes of the parameters inside the request. */
  readonly bytes: number;
}

/** What JSON writes around one parameter, its name included. */
const PARAMETER_BYTES = 64;

/** A control character that no text file holds and that JSON sends as it is, in one byte. */
const PARTING = '\u007f';

/**
 * One text a column, its values parted by one character: in a JSON request this costs a value's own bytes and one more,
 * where a row of JSON in JSON costs five and more. Every text starts with the parting, because PostgreSQL makes an empty
 * array, not an array of one empty text, out of an empty text; the empty row that this gives is left out again.
 */
export function unpacking(packet: Packet, types: Table['types']): Unpacking {
  const parting = partingFor(packet);
  const parameters: Record<string, string> = {};
  let bytes = packet.bytes;
  const arrays = packet.columns.map((column, at) => {
    const cells = packet.cells[at] ?? [];
    const nothing = markFor(cells);
    bytes += PARAMETER_BYTES + (parting.length - 1) * cells.length + parting.length;
    bytes += nothing.length * cells.filter((cell) => cell === null).length;
    parameters[`c${at}`] = parting + cells.map((cell) => cell ?? nothing).join(parting);
    const text = isQuoted(types.get(column)) ? `translate(:c${at}, '"~', '~"')` : `:c${at}`;
    return `string_to_array(${text}, ${partingSql(parting)}, '${nothing}')`;
  });
  const names = [...packet.columns.keys()].map((at) => `c${at}`);
  return {
    from: `unnest(${arrays.join(', ')}) with ordinality as r(${[...names, 'at'].join(', ')})`,
    where: 'r.at > 1',
    parameters,
    bytes,
  };
}

/**
 * The parting: one character, or, where a value holds it, a word that begins with it, ends otherwise and is in no value.
 * Such a word cannot be found across the border of two values either.
 */
function partingFor({ cells }: Packet): string {
  const isFree = (word: string): boolean =>
    cells.every((column) => column.every((cell) => cell?.includes(word) !== true));
  if (isFree(PARTING)) return PARTING;
  let number = 0;
  while (!isFree(`${PARTING}${number};`)) number += 1;
  return `${PARTING}${number};`;
}

const partingSql = (parting: string): string =>
  parting === PARTING ? 'chr(127)' : `chr(127) || '${parting.slice(1)}'`;

/** What stands for null in a column: an empty text, or the shortest row of dashes that is none of its values. */
function markFor(cells: readonly (string | null)[]): string {
  if (!cells.includes('')) return '';
  const dashes = new Set(cells.filter((cell) => cell !== null && /^-+$/.test(cell)));
  let mark = '-';
  while (dashes.has(mark)) mark += '-';
  return mark;
}

/** The value of the n-th column of a packet, cast to its type. Bytes travel in base64, which is shorter than hex. */
export function castCell(type: ValueType | undefined, at: number): string {
  return type?.family === 'bytes' ? `decode(r.c${at}, 'base64')` : `cast(r.c${at} as ${type?.sql ?? 'text'})`;
}

export const quoted = (columns: readonly string[]): string =>
  columns.map((column) => quoteIdentifier(column)).join(', ');
