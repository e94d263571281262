import { isJsonNull } from './json-null.ts';
import { valueRefused } from './value-refused.ts';
import type { ValueType } from './value-type.ts';

/**
 * The text form of a value, which PostgreSQL reads back through `cast(… as type)` without loss: the one rule for
 * values. `null` and `undefined` are not handled here: they are SQL's null, respectively an absent column.
 */
export function textOf(type: ValueType, value: unknown): string {
  switch (type.family) {
    case 'smallint':
      return wholeNumber(type, value, -(2n ** 15n), 2n ** 15n - 1n);
    case 'integer':
      return wholeNumber(type, value, -(2n ** 31n), 2n ** 31n - 1n);
    case 'bigint':
      return wholeNumber(type, value, -(2n ** 63n), 2n ** 63n - 1n);
    case 'numeric':
      return decimal(type, value);
    case 'real':
    case 'double':
      return float(type, value);
    case 'boolean':
      if (typeof value !== 'boolean') throw valueRefused(type, 'a boolean');
      return String(value);
    case 'json':
    case 'jsonb':
      return jsonText(type, value);
    case 'bytes':
      if (!(value instanceof Uint8Array)) throw valueRefused(type, 'a Uint8Array');
      return hexOf(value);
    case 'array':
      return arrayLiteral(type, value);
    case 'timestamptz':
      return value instanceof Date ? moment(type, value) : string(type, value);
    case 'uuid':
      return uuidText(type, value);
    case 'enum':
      return member(type, value);
    case 'other':
      return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
        ? String(value)
        : string(type, value);
    case 'text':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'interval':
      return string(type, value);
    default:
      return type.family satisfies never;
  }
}

function wholeNumber(type: ValueType, value: unknown, least: bigint, most: bigint): string {
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value));
  if (!whole) throw valueRefused(type, 'a whole number (a bigint beyond 2^53)');
  const exact = BigInt(value);
  if (exact < least || exact > most) throw valueRefused(type, `a whole number from ${least} to ${most}`);
  return exact.toString();
}

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$|^(?:nan|[+-]?inf(?:inity)?)$/i;

function decimal(type: ValueType, value: unknown): string {
  const text = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value;
  if (typeof text !== 'string' || !DECIMAL.test(text)) throw valueRefused(type, 'a decimal number');
  return text;
}

function float(type: ValueType, value: unknown): string {
  if (typeof value !== 'number') throw valueRefused(type, 'a number');
  // String(-0) is '0': the sign would be lost.
  return Object.is(value, -0) ? '-0' : String(value);
}

function moment(type: ValueType, value: Date): string {
  if (Number.isNaN(value.getTime())) throw valueRefused(type, 'a valid Date');
  return value.toISOString();
}

const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

function uuidText(type: ValueType, value: unknown): string {
  const text = string(type, value);
  if (!UUID.test(text)) throw valueRefused(type, 'a UUID');
  return text;
}

function member(type: ValueType, value: unknown): string {
  const text = string(type, value);
  if (type.members?.includes(text) === false) {
    throw valueRefused(type, `one of ${type.members.map((name) => `'${name}'`).join(', ')}`);
  }
  return text;
}

function string(type: ValueType, value: unknown): string {
  if (typeof value !== 'string') throw valueRefused(type, 'a string');
  if (!isStorable(value)) throw valueRefused(type, STORABLE);
  return value;
}

/** What a text must be that PostgreSQL can store. */
export const STORABLE =
  'text without the character U+0000 and without half surrogate pairs, which PostgreSQL cannot store';

/** Whether PostgreSQL can store the text: no U+0000, no lone surrogate. */
export function isStorable(text: string): boolean {
  return !text.includes('\u0000') && text.isWellFormed();
}

// JSON.stringify escapes exactly what jsonb refuses (22P05): U+0000 and lone surrogates. An even number of
// backslashes before the escape means that it is one.
const UNSTORABLE_IN_JSON = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

function jsonText(type: ValueType, value: unknown): string {
  if (isJsonNull(value)) return 'null';
  const json = stringified(type, value);
  if (json === undefined) throw valueRefused(type, 'a value that JSON can hold');
  if (UNSTORABLE_IN_JSON.test(json)) throw valueRefused(type, STORABLE);
  return json;
}

function stringified(type: ValueType, value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    // A bigint or a circle. The cause is left out: its text may quote the value.
    throw valueRefused(type, 'a value that JSON can hold (no bigint, no circle)');
  }
}

/** `{…}` as PostgreSQL reads it (manual, "Array Input and Output Syntax"); every element but null is quoted. */
function arrayLiteral(type: ValueType, value: unknown): string {
  if (!Array.isArray(value)) throw valueRefused(type, 'an array');
  const element = type.element ?? type;
  const items: readonly unknown[] = value;
  return `{${items.map((item) => arrayItem(element, item)).join(',')}}`;
}

function arrayItem(element: ValueType, item: unknown): string {
  if (item === null || item === undefined) return 'NULL';
  const text = textOf(element, item);
  if (element.family === 'array') return text;
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** bytea's hex form. */
function hexOf(bytes: Uint8Array): string {
  let hex = '\\x';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}
