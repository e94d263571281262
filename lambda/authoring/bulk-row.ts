import { ForerunError } from '../engine/errors.ts';
import { bulkText } from './bulk-text.ts';
import { exchangeQuotes, isQuoted } from './exchanged-quotes.ts';
import { requestBytes } from './request-bytes.ts';
import type { Table } from './table.ts';
import type { ValueType } from './value-type.ts';

/** A row as it travels: its columns, their texts, and what these cost inside a request. */
export interface EncodedRow {
  readonly columns: readonly string[];
  readonly cells: readonly (string | null)[];
  readonly bytes: number;
}

/** A row as messages name it: its number, from 1, and the file that it comes from: `3` or `3 of countries.csv`. */
export type RowName = string;

/** How rows are to be read. */
export interface RowRules {
  readonly table: Table;
  /** Columns that every row must name. */
  readonly required: readonly string[];
  /** Whether every value is a text as PostgreSQL reads it. */
  readonly texts: boolean;
}

/** Encodes one row; `name` is how a refusal speaks of it. A key that is `undefined` counts as absent. */
export function encodeRow({ table, required, texts }: RowRules, row: unknown, name: RowName): EncodedRow {
  if (typeof row !== 'object' || row === null)
    throw rowRefused(table, name, 'is no object of columns and values.');
  const columns: string[] = [];
  const cells: (string | null)[] = [];
  let bytes = 0;
  for (const [column, value] of Object.entries(row)) {
    if (value === undefined) continue;
    const cell = cellOf(table, column, value, texts, name);
    columns.push(column);
    cells.push(cell);
    bytes += 1 + (cell === null ? 0 : requestBytes(cell));
  }
  if (columns.length === 0) throw rowRefused(table, name, 'names no column.');
  const missing = required.find((column) => !columns.includes(column));
  if (missing !== undefined) throw rowRefused(table, name, `has no value for the column "${missing}".`);
  return { columns, cells, bytes };
}

function cellOf(table: Table, column: string, value: unknown, texts: boolean, name: RowName): string | null {
  const type = table.types.get(column);
  const declared = Object.hasOwn(table.columns, column) ? table.columns[column] : undefined;
  if (type === undefined || declared === undefined) {
    throw rowRefused(table, name, `has a column "${column}" that table() does not declare.`);
  }
  if (declared.presence === 'generated') {
    throw rowRefused(table, name, `has a value for "${column}", which the database computes.`);
  }
  if (value === null) {
    if (declared.takesNull) return null;
    throw rowRefused(table, name, `has null in "${column}", which table() does not declare as nullable().`);
  }
  try {
    return cellText(type, bulkText(type, value, texts));
  } catch (cause) {
    if (!(cause instanceof ForerunError)) throw cause;
    throw rowRefused(table, name, `cannot be sent. ${cause.text.what}`);
  }
}

function cellText(type: ValueType, text: string): string {
  if (type.family === 'bytes') return base64(text);
  return isQuoted(type) ? exchangeQuotes(text) : text;
}

/** Base64 out of bytea's hex form. */
function base64(hex: string): string {
  return Buffer.from(hex.slice(2).replaceAll(/\s/g, ''), 'hex').toString('base64');
}

/** A row that cannot be sent: named by its number and column, never by its values. */
export function rowRefused(table: Table, name: RowName, why: string): ForerunError {
  return new ForerunError('rows-refused', {
    what: `Row ${name} for ${table.name} ${why}`,
    state: 'The call that would have held it was not sent, calls before it are part of the open transaction.',
    next: 'Mend the row where it is made.',
  });
}
