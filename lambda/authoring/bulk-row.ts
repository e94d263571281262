import { ForerunError } from '../engine/errors.ts';
import type { Table } from './table.ts';
import { textOf } from './value-text.ts';

/** A row as it travels: its columns, the JSON list of their texts, and what it costs inside a request. */
export interface EncodedRow {
  readonly columns: readonly string[];
  readonly json: string;
  readonly bytes: number;
}

/** Encodes one row; `number` (from 1) is how a refusal names it. A key that is `undefined` counts as absent. */
export function encodeRow(table: Table, row: object, number: number): EncodedRow {
  const columns: string[] = [];
  const cells: (string | null)[] = [];
  for (const [column, value] of Object.entries(row)) {
    if (value === undefined) continue;
    columns.push(column);
    cells.push(cellOf(table, column, value, number));
  }
  if (columns.length === 0) throw rowRefused(table, number, 'names no column.');
  const json = JSON.stringify(cells);
  return { columns, json, bytes: escapedBytes(json) };
}

function cellOf(table: Table, column: string, value: unknown, number: number): string | null {
  const type = table.types.get(column);
  if (type === undefined)
    throw rowRefused(table, number, `has a column "${column}" that table() does not declare.`);
  if (value === null) return null;
  try {
    return textOf(type, value);
  } catch (cause) {
    if (!(cause instanceof ForerunError)) throw cause;
    throw rowRefused(table, number, `cannot be sent. ${cause.text.what}`);
  }
}

const encoder = new TextEncoder();

/** Bytes of a text inside a JSON request, where quotes and backslashes are escaped once more; with its comma. */
function escapedBytes(json: string): number {
  return encoder.encode(JSON.stringify(json)).length - 1;
}

/** A row that cannot be sent: named by its number and column, never by its values. */
export function rowRefused(table: Table, number: number, why: string): ForerunError {
  return new ForerunError('rows-refused', {
    what: `Row ${number} for ${table.name} ${why}`,
    state: 'The call that would have held it was not sent, calls before it are part of the open transaction.',
    next: 'Mend the row where it is made.',
  });
}
