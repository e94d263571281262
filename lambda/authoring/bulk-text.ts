import { valueRefused } from './value-refused.ts';
import { isStorable, STORABLE, textOf } from './value-text.ts';
import type { Family, ValueType } from './value-type.ts';

/** One row as a text file holds it: everything is a text, and null where nothing stands. */
export type TextRow = Readonly<Record<string, string | null>>;

const TEXT_ROWS = Symbol.for('forerun.textRows');

/**
 * Marks rows as read from a text file, by its name for messages: what stands in a json column is then JSON's own text, not a
 * string.
 */
export function markTextRows<R extends object>(rows: R, file?: string): R {
  return Object.defineProperty(rows, TEXT_ROWS, { value: file ?? true });
}

/** Name of the file that rows were read from, where they were marked with one. */
export function fileOfRows(rows: object): string | undefined {
  const mark: unknown = TEXT_ROWS in rows ? rows[TEXT_ROWS] : undefined;
  return typeof mark === 'string' ? mark : undefined;
}

/** Whether rows were marked, also by another copy of this package. */
export function areTextRows(rows: object): boolean {
  return TEXT_ROWS in rows;
}

/**
 * The text of a value of a bulk row. Besides what a column takes anywhere, it takes the text that PostgreSQL reads as
 * the column's type, because a file holds nothing else. A string for a json column is a JSON string, unless the rows
 * are texts throughout.
 */
export function bulkText(type: ValueType, value: unknown, texts: boolean): string {
  if (typeof value !== 'string') return textOf(type, value);
  if (type.family === 'json' || type.family === 'jsonb')
    return texts ? jsonDocument(type, value) : textOf(type, value);
  const written = WRITTEN[type.family];
  if (written === undefined) return textOf(type, value);
  if (!isStorable(value)) throw valueRefused(type, STORABLE);
  if (!written.form.test(value)) throw valueRefused(type, written.wanted);
  return isWholeFamily(type.family) ? whole(type, value) : value;
}

interface Written {
  /** Refuses only what PostgreSQL refuses for certain. */
  readonly form: RegExp;
  readonly wanted: string;
}

const WHOLE: Written = {
  form: /^\s*[+-]?(?:\d[\d_]*|0[xob][\da-f_]+)\s*$/i,
  wanted: 'a whole number',
};
const FRACTION: Written = {
  form: /^\s*[+-]?(?:[\d_]*\.?[\d_]*(?:e[+-]?\d+)?|0[xob][\da-f_]+|nan|inf(?:inity)?)\s*$/i,
  wanted: 'a number',
};

/** What a text must look like for the types whose own rule wants something else than a text. */
const WRITTEN: Partial<Record<Family, Written>> = {
  smallint: WHOLE,
  integer: WHOLE,
  bigint: WHOLE,
  real: FRACTION,
  double: FRACTION,
  numeric: FRACTION,
  boolean: {
    form: /^\s*(?:t|tr|tru|true|f|fa|fal|fals|false|y|ye|yes|n|no|on|of|off|0|1)\s*$/i,
    wanted: 'true or false',
  },
  bytes: { form: /^\\x[\s\da-f]*$/i, wanted: 'bytes in the hex form (\\x…)' },
  array: { form: /^\s*(?:\[.*=\s*)?\{[^]*\}\s*$/, wanted: 'an array in the form {…}' },
};

const isWholeFamily = (family: Family): boolean => WRITTEN[family] === WHOLE;

/** Plain digits are held to the range here, where the row is still known; other notations are left to PostgreSQL. */
function whole(type: ValueType, value: string): string {
  return /^[+-]?\d+$/.test(value) ? textOf(type, BigInt(value.replace(/^\+/, ''))) : value;
}

function jsonDocument(type: ValueType, value: string): string {
  try {
    JSON.parse(value);
  } catch {
    throw valueRefused(type, 'a JSON document');
  }
  // The text itself goes, not what was parsed: numbers keep all their digits.
  if (!isStorable(value) || /(?<!\\)(?:\\\\)*\\u0000/.test(value)) throw valueRefused(type, STORABLE);
  return value;
}
