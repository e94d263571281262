import { describe, expect, test } from 'vitest';
import { backfill, bigint, boolean, integer, json, jsonb, sql, table, text, timestamptz } from 'forerun';
import { refusalOf } from './refusal.ts';

const things = table('app.things', {
  id: bigint(),
  at: timestamptz(),
  n: integer(),
  label: text().nullable(),
  doc: json(),
  facts: jsonb(),
  done: boolean(),
});

const good = {
  after: 'base',
  table: things,
  key: 'id',
  where: sql`label is null`,
  down: 'nothing to undo',
} as const;

describe('a backfill that is not written as one is refused when its module loads', () => {
  test.each([
    ['no form', {}, 'it needs one of'],
    ['two forms', { set: { n: 1 }, transform: () => undefined }, 'has set and transform'],
    ['neither where nor frozen', { where: undefined, set: { n: 1 } }, 'neither "where"'],
    ['a key that is not declared', { key: 'nr', set: { n: 1 } }, '"key" names a column "nr"'],
    ['a key that may be null', { key: 'label', set: { n: 1 } }, 'may be null'],
    ['a key without an order', { key: 'doc', set: { n: 1 } }, 'has no order'],
    ['the same key column twice', { key: ['id', 'id'], set: { n: 1 } }, 'different columns'],
    ['a key that changes', { set: { id: 1n } }, 'part of the key'],
    ['an unknown column', { set: { strange: 1 } }, '"strange"'],
    ['no down', { down: undefined, set: { n: 1 } }, '"down" is missing'],
    ['a parallel beyond reason', { parallel: 99, set: { n: 1 } }, '"parallel" must be'],
    ['a misspelt member', { paralel: 2, set: { n: 1 } }, '"paralel" is not one of'],
  ])('%s', async (_what, more, why) => {
    // The compiler refuses most of these; modules are bundled without it.
    const source = { ...good, ...more } as never;
    expect(await refusalOf(() => backfill(source))).toContain(why);
  });
});

const specOf = (definition: { readonly backfill?: unknown }) =>
  definition.backfill as never as {
    table: string;
    where: { sql: string; parameters?: Record<string, unknown> };
    form: {
      set: readonly { column: string; value: { sql: string; parameters?: object }; comparable: boolean }[];
    };
  };

describe('the SQL of a backfill', () => {
  test('has each value cast to its column, under names of its own', () => {
    const spec = specOf(
      backfill({
        ...good,
        where: (eb) => eb.and([eb('label', 'is', null), eb('at', '<', '2026-01-01T00:00:00Z')]),
        set: { label: 'x', n: (eb) => eb('n', '+', 1), doc: { a: 1 } },
      }),
    );
    expect(spec.table).toBe('"app"."things"');
    expect(spec.where.sql).toBe('("label" is null and "at" < cast(:w_p1 as timestamptz))');
    expect(spec.where.parameters).toEqual({ w_p1: '2026-01-01T00:00:00Z' });
    expect(spec.form.set.map(({ column, value, comparable }) => [column, value.sql, comparable])).toEqual([
      ['"label"', 'cast(:s0_p1 as text)', true],
      ['"n"', '"n" + cast(:s1_p1 as integer)', true],
      ['"doc"', 'cast(:s2_p1 as json)', false],
    ]);
  });
});
