// oxlint-disable vitest/no-standalone-expect -- describe-data-api.ts runs each case inside a test.
import type { Field } from '@aws-sdk/client-rds-data';
import { expect } from 'vitest';
import { type Case, controlled } from './subject.ts';

const text = (stringValue: string): Field => ({ stringValue });
const list = (member: string, values: readonly unknown[]): unknown => ({ arrayValue: { [member]: values } });

/** An expression, and the field it comes back as. */
const FIELDS: readonly (readonly [number, string, unknown])[] = [
  [22, 'true', { booleanValue: true }],
  [22, '7::int2', { longValue: 7 }],
  [22, '1.5::float4', { doubleValue: 1.5 }],
  [22, "'x'::char(3)", text('x  ')],
  [22, "'a'::name", text('a')],
  [22, "'10.0.0.0/8'::cidr", text('10.0.0.0/8')],
  [22, 'int4range(1, 3)', text('[1,3)')],
  [22, 'null::text', { isNull: true }],
  [22, "'{1,NULL,3}'::int[]", list('longValues', [1, null, 3])],
  [22, "'{}'::text[]", list('stringValues', [])],
  [
    22,
    String.raw`array['a,b', 'c"d', 'e\f', '', 'NULL', null]`,
    list('stringValues', ['a,b', 'c"d', String.raw`e\f`, '', 'NULL', null]),
  ],
  [22, "'{t,f}'::bool[]", list('booleanValues', [true, false])],
  [22, "'{1.5,NaN}'::float8[]", list('doubleValues', [1.5, Number.NaN])],
  [22, "array['2024-01-02 03:04:05.6'::timestamp]", list('stringValues', ['2024-01-02 03:04:05.600'])],
  [22, "'[0:1]={5,6}'::int[]", list('longValues', [5, 6])],
  [24, "'2024-01-02 03:04:05+02'::timestamptz", text('2024-01-02 01:04:05')],
  [24, "'2024-01-01 00:30:00.25+01'::timestamptz", text('2023-12-31 23:30:00.250')],
  [24, "'2024-01-02 03:04:05'::timestamp", text('2024-01-02 03:04:05')],
  [24, "'2024-01-02 03:04:05.1234'::timestamp", text('2024-01-02 03:04:05.123400')],
  [24, "'03:04:05.5'::time", text('03:04:05.500')],
  [24, "'2024-02-29'::date", text('2024-02-29')],
  [25, '1.50::numeric(10,3)', text('1.500')],
  [25, '123456789012345678901234567890.123', text('123456789012345678901234567890.123')],
  [25, '(2::int8^40)::int8', { longValue: 1_099_511_627_776 }],
  [26, `'{"b": [1, 2],  "a": "x: y"}'::json`, text('{"b":[1,2],"a":"x: y"}')],
  [26, `'{"a": "q\\" : , "}'::jsonb`, text(String.raw`{"a":"q\" : , "}`)],
];

/** An expression whose type cannot come back, and how the type is called. */
const UNSUPPORTED: readonly (readonly [string, string])[] = [
  ["'1 day'::interval", 'INTERVAL'],
  ["'12:00+00'::timetz", 'TIMETZ'],
  ['\'r\'::"char"', '"CHAR"'],
  ["'pg_class'::regclass", 'regclass'],
  ["'1 2'::int2vector", 'int2vector'],
  ['1::money', 'MONEY'],
  ['point(1, 2)', 'POINT'],
  ["'08:00:2b:01:02:03'::macaddr", 'MACADDR'],
  ["tsrange('2024-01-01', '2024-01-02')", 'TSRANGE'],
];

export const resultCases: readonly Case[] = [
  ...FIELDS.map(([rule, expression, field]): Case => ({
    rules: [rule],
    title: `returns ${expression}`,
    async run(api) {
      expect(await api.value(`select ${expression}`)).toStrictEqual(field);
    },
  })),
  ...UNSUPPORTED.map(([expression, name]): Case => ({
    rules: [22],
    title: `refuses to return ${expression}, but not its text`,
    async run(api) {
      expect(await api.refusal(api.execute(`select ${expression}`))).toMatchObject({
        name: 'UnsupportedResultException',
        status: 400,
        message: `The result contains the unsupported data type ${name}.`,
      });
      expect(await api.value(`select (${expression})::text`)).toHaveProperty('stringValue');
    },
  })),
  {
    rules: [22],
    title: 'returns an enum as its label',
    async run(api) {
      const mood = api.fresh();
      await api.execute(`create type ${mood} as enum ('so so')`);
      expect(await api.value(`select 'so so'::${mood}`)).toStrictEqual(text('so so'));
    },
  },
  {
    rules: [23],
    title: 'refuses an array of two dimensions',
    async run(api) {
      for (const value of ["'{{1,2},{3,4}}'::int[]", "'[0:0][0:0]={{1}}'::int[]"]) {
        expect(await api.refusal(api.execute(`select ${value}`))).toMatchObject({
          name: 'UnsupportedResultException',
        });
      }
    },
  },
  {
    rules: [24],
    title: 'returns UTC also where the session has another zone, and fails on infinity',
    async run(api) {
      const transactionId = await api.begin();
      await api.execute("set local timezone = 'America/St_Johns'", { transactionId });
      const value = await api.value("select '2024-06-01 12:00:00Z'::timestamptz", {}, { transactionId });
      await api.rollback(transactionId);
      expect(value).toStrictEqual(text('2024-06-01 12:00:00'));
      expect(await api.refusal(api.execute("select 'infinity'::timestamptz"))).toMatchObject({ status: 500 });
    },
  },
  {
    rules: [25],
    title: 'returns decimals and longs as asked',
    async run(api) {
      const { records } = await api.execute('select 1.5, 2::numeric, 3::int8', {
        resultSetOptions: { decimalReturnType: 'DOUBLE_OR_LONG', longReturnType: 'STRING' },
      });
      expect(records).toStrictEqual([[{ doubleValue: 1.5 }, { longValue: 2 }, { stringValue: '3' }]]);
      const exact = await api.execute('select 9223372036854775807', {
        resultSetOptions: { longReturnType: 'STRING' },
      });
      expect(exact.records).toStrictEqual([[text('9223372036854775807')]]);
    },
  },
  controlled([25], 'writes int8 with all its digits', async ({ names }, { url }) => {
    const credential =
      'AWS4-HMAC-SHA256 Credential=A/20250101/r/rds-data/aws4_request, SignedHeaders=host, Signature=';
    const response = await fetch(`${url}/Execute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `${credential}${'0'.repeat(64)}` },
      body: JSON.stringify({ ...names, sql: 'select 9223372036854775807' }),
    });
    expect(await response.text()).toContain('"longValue":9223372036854775807');
  }),
  {
    rules: [28, 29],
    title: 'answers each kind of statement with the members it has',
    async run(api) {
      const table = api.fresh();
      const plain = async (sql: string): Promise<unknown> => {
        const { $metadata: _metadata, ...rest } = await api.execute(sql);
        return rest;
      };
      const none = { numberOfRecordsUpdated: 0, generatedFields: [] };
      expect(await plain(`create table ${table} (id serial, a int)`)).toStrictEqual(none);
      expect(await plain(`insert into ${table} (a) values (1), (2)`)).toStrictEqual({
        ...none,
        numberOfRecordsUpdated: 2,
      });
      expect(await plain(`update ${table} set a = 3 where a = 9`)).toStrictEqual(none);
      expect(await plain(`select a from ${table} where a > 5`)).toStrictEqual({
        numberOfRecordsUpdated: 0,
        records: [],
      });
      expect(await plain(`delete from ${table} where a = 1 returning a`)).toMatchObject({
        records: [[{ longValue: 1 }]],
      });
    },
  },
  {
    rules: [30],
    title: 'describes columns only on request, by label, name and type',
    async run(api) {
      const table = api.fresh();
      await api.execute(
        `create table ${table} (id bigint generated always as identity primary key, tags text[], n numeric(8,2))`,
      );
      const sql = `select id as number, tags, n, 1 as one from ${table}`;
      expect(await api.execute(sql)).not.toHaveProperty('columnMetadata');
      const { columnMetadata } = await api.execute(sql, { includeResultMetadata: true });
      expect(columnMetadata).toMatchObject([
        {
          label: 'number',
          name: 'id',
          typeName: 'int8',
          tableName: table,
          nullable: 0,
          isAutoIncrement: true,
        },
        { label: 'tags', name: 'tags', typeName: '_text', nullable: 1 },
        { label: 'n', typeName: 'numeric', precision: 8, scale: 2 },
        { label: 'one', name: 'one', typeName: 'int4', tableName: '' },
      ]);
    },
  },
  {
    rules: [31],
    title: 'writes records as one JSON text and refuses the same label twice',
    async run(api) {
      const answer = await api.execute("select 1 as a, 'x' as b, null::int as c, array[1,2] as d", {
        formatRecordsAs: 'JSON',
        includeResultMetadata: true,
      });
      expect(JSON.parse(answer.formattedRecords ?? '')).toStrictEqual([{ a: 1, b: 'x', c: null, d: [1, 2] }]);
      expect(answer).not.toHaveProperty('records');
      expect(answer).not.toHaveProperty('columnMetadata');
      expect(
        await api.refusal(api.execute('select 1 as a, 2 as a', { formatRecordsAs: 'JSON' })),
      ).toMatchObject({ status: 400 });
    },
  },
  {
    rules: [32],
    title: 'returns exactly 1 MiB and refuses one byte more',
    async run(api) {
      const most = 1024 * 1024 - 2 - 4;
      const { records } = await api.execute(`select repeat('x', ${most})`);
      expect(records?.[0]?.[0]?.stringValue).toHaveLength(most);
      expect(await api.refusal(api.execute(`select repeat('x', ${most + 1})`))).toMatchObject({
        name: 'UnsupportedResultException',
      });
    },
  },
];
