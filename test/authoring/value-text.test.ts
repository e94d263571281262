import { describe, expect, test } from 'vitest';
import {
  bigint,
  boolean,
  bytea,
  date,
  double,
  enumType,
  integer,
  json,
  jsonb,
  numeric,
  smallint,
  text,
  timestamptz,
  uuid,
} from 'forerun';
import type { AnyColumn } from '../../lambda/authoring/column.ts';
import { textOf } from '../../lambda/authoring/value-text.ts';
import { refusalOf } from './refusal.ts';

const WHOLE = 'a whole number (a bigint beyond 2^53)';
const STORABLE =
  'text without the character U+0000 and without half surrogate pairs, which PostgreSQL cannot store';
const circle: { self?: unknown } = {};
circle.self = circle;

describe('the text of a value', () => {
  test.each<readonly [AnyColumn, unknown, string]>([
    [double(), Number.NaN, 'NaN'],
    [double(), Number.NEGATIVE_INFINITY, '-Infinity'],
    [double(), -0, '-0'],
    [numeric(), '-1e-30', '-1e-30'],
    [numeric(), 1e21, '1e+21'],
    [integer(), 5n, '5'],
    [jsonb(), String.raw`\u0000`, String.raw`"\\u0000"`],
    [jsonb(), [undefined], '[null]'],
    [text().array().array(), [['a'], ['b']], '{{"a"},{"b"}}'],
    [bytea().array(), [Uint8Array.from([255])], String.raw`{"\\xff"}`],
  ])('is exact', (column, value, expected) => {
    expect(textOf(column.type, value)).toBe(expected);
  });

  test.each<readonly [string, AnyColumn, unknown]>([
    [WHOLE, integer(), 1.5],
    [WHOLE, integer(), '1'],
    [WHOLE, bigint(), 2 ** 53],
    ['a whole number from -32768 to 32767', smallint(), 32_768],
    ['a whole number from -2147483648 to 2147483647', integer(), -2_147_483_649],
    ['a whole number from -9223372036854775808 to 9223372036854775807', bigint(), 2n ** 63n],
    ['a decimal number', numeric(), '1,5'],
    ['a decimal number', numeric(), ''],
    ['a number', double(), '1'],
    ['a boolean', boolean(), 'true'],
    ['a string', text(), 5],
    ['a string', date(), new Date(0)],
    ['a valid Date', timestamptz(), new Date(Number.NaN)],
    ['a UUID', uuid(), '6f2c1a52'],
    ["one of 'sad', 'happy'", enumType('mood', ['sad', 'happy']), 'angry'],
    ['a Uint8Array', bytea(), 'ff'],
    ['an array', text().array(), 'a'],
    ['a value that JSON can hold', json(), () => 1],
    ['a value that JSON can hold (no bigint, no circle)', json(), { n: 1n }],
    ['a value that JSON can hold (no bigint, no circle)', json(), circle],
    [STORABLE, text(), 'a\u0000'],
    [STORABLE, text(), '\ud800'],
    [STORABLE, jsonb(), { a: '\u0000' }],
    [STORABLE, jsonb(), { a: '\\\u0000' }],
    [STORABLE, json(), { '\udc00': 1 }],
  ])('must be %s', async (wanted, column, value) => {
    expect(await refusalOf(() => textOf(column.type, value))).toBe(
      `value-refused: A value (${column.type.sql}) must be ${wanted}.`,
    );
  });

  test('names the type of the element that does not fit', async () => {
    expect(await refusalOf(() => textOf(text().array().type, ['a', 1]))).toBe(
      'value-refused: A value (text) must be a string.',
    );
  });
});
