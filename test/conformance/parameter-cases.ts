// oxlint-disable vitest/no-standalone-expect -- describe-data-api.ts runs each case inside a test.
import type { Field, SqlParameter } from '@aws-sdk/client-rds-data';
import { expect } from 'vitest';
import { type Case, parameters } from './subject.ts';

const text = (stringValue: string): { stringValue: string } => ({ stringValue });
const UUID = '0e37df36-f698-11e6-8dd4-cb9ced3df976';

const TYPES: readonly (readonly [Field, string])[] = [
  [text('a'), 'text'],
  [{ longValue: 1 }, 'bigint'],
  [{ doubleValue: 1 }, 'double precision'],
  [{ booleanValue: true }, 'boolean'],
  [{ blobValue: new Uint8Array([0, 255]) }, 'bytea'],
];

const HINTS: readonly (readonly [NonNullable<SqlParameter['typeHint']>, string, string])[] = [
  ['UUID', UUID, 'uuid'],
  ['JSON', '{"a":1}', 'jsonb'],
  ['DATE', '2024-02-29', 'date'],
  ['TIME', '12:34:56.789', 'time without time zone'],
  ['TIMESTAMP', '2024-02-29 12:34:56.7', 'timestamp without time zone'],
  ['DECIMAL', '-12.50', 'numeric'],
];

const REFUSED_HINTS: readonly (readonly [NonNullable<SqlParameter['typeHint']>, string])[] = [
  ['TIMESTAMP', '2024-02-29T12:34:56'],
  ['TIMESTAMP', '2024-02-29 12:34:56Z'],
  ['TIMESTAMP', '2024-02-29 12:34:56+02'],
  ['TIME', '12:34'],
  ['DATE', '29.2.2024'],
  ['DECIMAL', 'many'],
  ['UUID', 'x'],
  ['JSON', '{'],
];

export const parameterCases: readonly Case[] = [
  ...TYPES.map(([value, name]): Case => ({
    rules: [15],
    title: `binds ${Object.keys(value)[0]} as ${name}`,
    async run(api) {
      expect(await api.value('select pg_typeof(:v)::text', { v: value })).toStrictEqual({
        stringValue: name,
      });
    },
  })),
  {
    rules: [15],
    title: 'refuses a text for a uuid, an enum or jsonb unless it is cast',
    async run(api) {
      const mood = api.fresh();
      await api.execute(`create type ${mood} as enum ('glad')`);
      const comparisons = [`'${UUID}'::uuid = :v`, `'glad'::${mood} = :v`, `'{}'::jsonb = :v`];
      for (const comparison of comparisons) {
        const refusal = await api.refusal(api.value(`select ${comparison}`, { v: text(UUID) }));
        expect(refusal.message).toContain('SQLState: 42883');
      }
      expect(await api.value(`select '${UUID}'::uuid = :v::uuid`, { v: text(UUID) })).toStrictEqual({
        booleanValue: true,
      });
    },
  },
  {
    rules: [15],
    title: 'gives null no type and a function of integer no bigint',
    async run(api) {
      const table = api.fresh();
      await api.execute(`create table ${table} (a int[], b jsonb)`);
      const nulls = parameters({ a: { isNull: true }, b: { isNull: true } });
      expect(await api.execute(`insert into ${table} values (:a, :b)`, { parameters: nulls })).toMatchObject({
        numberOfRecordsUpdated: 1,
      });
      const refusal = await api.refusal(
        api.value("select split_part('a,b', ',', :n)", { n: { longValue: 1 } }),
      );
      expect(refusal.message).toContain('SQLState: 42883');
      expect(
        await api.value("select split_part('a,b', ',', :n::int)", { n: { longValue: 1 } }),
      ).toStrictEqual(text('a'));
    },
  },
  {
    rules: [15],
    title: 'carries bytes and special floats unharmed',
    async run(api) {
      const bytes = new Uint8Array([0, 1, 127, 128, 255]);
      const answer = await api.value('select :v', { v: { blobValue: bytes } });
      expect([...(answer?.blobValue ?? [])]).toStrictEqual([...bytes]);
      expect(await api.value("select :v = 'NaN'::float8", { v: { doubleValue: Number.NaN } })).toStrictEqual({
        booleanValue: true,
      });
    },
  },
  ...HINTS.map(([typeHint, value, name]): Case => ({
    rules: [16],
    title: `binds a text hinted ${typeHint} as ${name}`,
    async run(api) {
      const options = { parameters: parameters({ v: text(value) }, typeHint) };
      expect(await api.value('select pg_typeof(:v)::text', {}, options)).toStrictEqual(text(name));
    },
  })),
  ...REFUSED_HINTS.map(([typeHint, value]): Case => ({
    rules: [16],
    title: `refuses ${value} hinted ${typeHint}`,
    async run(api) {
      const refusal = await api.refusal(
        api.execute('select :v', { parameters: parameters({ v: text(value) }, typeHint) }),
      );
      expect(refusal.status).toBe(400);
    },
  })),
  {
    rules: [17],
    title: 'refuses an array parameter',
    async run(api) {
      const values = parameters({ v: { arrayValue: { longValues: [1] } } });
      expect(await api.refusal(api.execute('select :v', { parameters: values }))).toMatchObject({
        name: 'ValidationException',
        message: 'Array parameters are not supported',
      });
    },
  },
  {
    rules: [19],
    title: 'takes integers of 64 bits exactly',
    async run(api) {
      for (const value of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]) {
        // The client writes a bigint as it is, though its types know numbers only.
        const longValue = value as unknown as number;
        expect(await api.value('select :v::text', { v: { longValue } })).toStrictEqual(text(String(value)));
      }
      expect(await api.refusal(api.value('select :v', { v: { longValue: 1.5 } }))).toMatchObject({
        status: 400,
      });
    },
  },
];
