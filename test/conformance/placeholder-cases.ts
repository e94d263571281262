// oxlint-disable vitest/no-standalone-expect -- describe-data-api.ts runs each case inside a test.
import { expect } from 'vitest';
import { type Case, parameters } from './subject.ts';

const text = (stringValue: string): { stringValue: string } => ({ stringValue });

/** A statement that has no placeholder, and what it gives. */
const UNTOUCHED: readonly (readonly [string, string])[] = [
  ["select 'a:b'", 'a:b'],
  ["select 'it''s :b'", "it's :b"],
  [String.raw`select E'a\':b'`, "a':b"],
  ['select "x:y" from (select \'q\' as "x:y") s', 'q'],
  ["select 'q' -- :b", 'q'],
  ["select 'q' /* :b /* :c */ :d */", 'q'],
  ['select $$ :b $$', ' :b '],
  ['select $tag$ $$ :b $tag$', ' $$ :b '],
  ["select 'q'::text", 'q'],
  ["select to_char(timestamp '2024-01-02 03:04:05', 'HH24:MI:SS')", '03:04:05'],
];

export const placeholderCases: readonly Case[] = [
  ...UNTOUCHED.map(([sql, stringValue]): Case => ({
    rules: [12],
    title: `finds no placeholder in ${sql}`,
    async run(api) {
      expect(await api.value(sql)).toStrictEqual({ stringValue });
    },
  })),
  {
    rules: [12],
    title: 'takes names of letters, digits and underscores, also digits alone',
    async run(api) {
      const values = { a_1: text('x'), 1: text('y'), 0: text('z') };
      expect(await api.value('select :a_1||:1||:0::text', values)).toStrictEqual({ stringValue: 'xyz' });
      expect(await api.value('select :n::int + 1', { n: text('41') })).toStrictEqual({ longValue: 42 });
    },
  },
  {
    rules: [13],
    title: 'binds each occurrence of a name on its own',
    async run(api) {
      expect(await api.value('select :a || :a', { a: text('x') })).toStrictEqual({ stringValue: 'xx' });
      const grouped = api.execute(
        "select left(c, :n::int) from (values ('ab')) t (c) group by left(c, :n::int)",
        { parameters: parameters({ n: { longValue: 1 } }) },
      );
      expect((await api.refusal(grouped)).message).toContain('SQLState: 42803');
    },
  },
  {
    rules: [14],
    title: 'passes on $1 unbound and the operators with a question mark',
    async run(api) {
      expect((await api.refusal(api.execute('select $1'))).message).toContain('SQLState: 08P01');
      expect(await api.value(`select '{"a":1}'::jsonb ? 'a'`)).toStrictEqual({ booleanValue: true });
      expect(await api.value(`select '{"a":1}'::jsonb ?| array['b', :k]`, { k: text('a') })).toStrictEqual({
        booleanValue: true,
      });
    },
  },
  {
    rules: [18],
    title: 'names the placeholder that has no value, and ignores a value without placeholder',
    async run(api) {
      const refusal = await api.refusal(
        api.execute('select :first, :second', { parameters: parameters({ first: text('x') }) }),
      );
      expect(refusal).toMatchObject({ status: 400, message: expect.stringContaining('second') });
      expect(await api.value('select :a', { a: text('x'), unused: text('y') })).toStrictEqual({
        stringValue: 'x',
      });
    },
  },
  {
    rules: [20],
    title: 'refuses two statements and takes one with a separator at its end',
    async run(api) {
      const table = api.fresh();
      const refusal = await api.refusal(api.execute(`create table ${table} (); select 1`));
      expect(refusal).toMatchObject({
        name: 'ValidationException',
        message: "Multistatements aren't supported.",
      });
      expect(await api.value(`select to_regclass('${table}') is null; -- the end`)).toStrictEqual({
        booleanValue: true,
      });
      expect(await api.refusal(api.batch('select 1; select 2', [[]]))).toMatchObject({
        name: 'ValidationException',
      });
    },
  },
  {
    rules: [20],
    title: 'takes separators inside function bodies, rules and literals',
    async run(api) {
      const name = api.fresh();
      await api.execute(
        `create function ${name}_a() returns int language sql begin atomic select 1; select case when true then 2 end; end`,
      );
      await api.execute(
        `create function ${name}_b() returns int language plpgsql as $$ begin return 3; end; $$;`,
      );
      await api.execute(`create table ${name} (a int)`);
      await api.execute(`create rule r as on insert to ${name} do also (select 1; select 2)`);
      expect(await api.value(`select ${name}_a() + ${name}_b()`)).toStrictEqual({ longValue: 5 });
      expect(await api.value("select ';'")).toStrictEqual({ stringValue: ';' });
    },
  },
];
