import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  bigint,
  boolean,
  bytea,
  char,
  citext,
  column,
  date,
  double,
  enumType,
  integer,
  jsonb,
  jsonNull,
  markTextRows,
  numeric,
  table,
  text,
  timestamptz,
  uuid,
  type TextRow,
} from 'forerun';
import { createBuilder } from '../../lambda/authoring/dialect.ts';
import { createOperations, type Operations } from '../../lambda/authoring/operations.ts';
import type { Row } from '../../lambda/engine/ports.ts';
import { startDatabase } from './data-api.ts';
import { refusalOf } from './refusal.ts';

const REF = '6f2c1a52-5f5b-4f0c-9c1e-0a5b7c1d2e3f';

const things = table('app.things', {
  id: bigint(),
  name: text().nullable(),
  count: integer().defaulted(),
  price: numeric().nullable(),
  doc: jsonb().nullable(),
  tags: text().nullable().array().nullable(),
  data: bytea().nullable(),
});

const SCHEMA = [
  'create extension if not exists citext',
  'create schema app',
  `create type app.mood as enum ('sad', 'happy')`,
  'create domain app.positive as integer check (value > 0)',
  `create table app.things (id bigint primary key, name text, count integer not null default 7, price numeric, doc jsonb,
    tags text[], data bytea)`,
  'create table app.pairs (a text, b numeric, n integer, primary key (a, b))',
  `create table app.parted (id bigint primary key, n integer) partition by range (id)`,
  'create table app.parted_low partition of app.parted for values from (0) to (100)',
  'create table app.parted_high partition of app.parted for values from (100) to (200)',
];

describe('bulk operations over the Data API', () => {
  let server: Awaited<ReturnType<typeof startDatabase>>;
  let op: Operations;

  beforeAll(async () => {
    server = await startDatabase();
    for (const sql of SCHEMA) await server.database.execute({ sql }, { rows: false });
    const db = createBuilder(server.database, {});
    op = createOperations(
      server.database,
      { db, tables: {} },
      { inTransaction: true, progress: () => undefined },
    );
  });

  afterAll(async () => {
    await server.stop();
  });

  beforeEach(async () => {
    await op.execute('truncate app.things, app.pairs, app.parted');
  });

  describe('a row that fails is named:', () => {
    const twins = table('app.pairs', { a: text(), b: numeric(), n: integer().nullable() });

    test('by its number where the database finds its key twice, and without the key', async () => {
      await op.bulkInsert(twins, [{ a: 'x, y', b: '2' }]);
      const rows = [1, 2, 3].map((b) => ({ a: b === 2 ? 'x, y' : 'other', b: String(b) }));
      const refused = op.bulkInsert(twins, rows);
      await expect(refused).rejects.toMatchObject({
        sqlState: '23505',
        message: 'duplicate key value violates unique constraint "pairs_pkey" (it is row 2)',
      });
      await expect(op.bulkInsert(twins, [rows[0] ?? {}, rows[0] ?? {}] as never)).rejects.toMatchObject({
        message: 'duplicate key value violates unique constraint "pairs_pkey" (they are rows 1, 2)',
      });
    });

    test('with the file that it comes from', async () => {
      const rows = markTextRows(
        [
          { a: 'x', b: '1' },
          { a: 'x', b: 'secret' },
        ],
        'data/pairs.csv',
      );
      await expect(op.bulkInsert(twins, rows)).rejects.toMatchObject({
        text: {
          what: 'Row 2 of data/pairs.csv for app.pairs cannot be sent. A value for app.pairs.b (numeric) must be a number.',
        },
      });
      await expect(
        op.bulkUpdate(twins, markTextRows([{ a: 'x', b: '1' }], 'pairs.csv'), { key: ['a', 'b'] }),
      ).rejects.toMatchObject({
        text: { what: 'Row 1 of pairs.csv for app.pairs names no column besides its key.' },
      });
    });
  });

  const all = (): Promise<readonly Row[]> => op.query('select * from app.things order by id');
  const names = async (): Promise<unknown> =>
    (await op.query('select id, name, count from app.things order by id')).map(({ id, name, count }) => [
      id,
      name,
      count,
    ]);

  describe('insert', () => {
    // One row at a time, too: an empty text, null and an empty array are the ones that a list of texts may lose.
    const AWKWARD = [
      null,
      '',
      '-',
      '--',
      ' ',
      'NULL',
      '\u007f',
      '\u007f0;',
      '\u007f\u007f0',
      '\u007f0',
      '~"~',
      '"',
      '\\',
      "'",
      'a,b',
      '\n\r\t\u0001\u001f',
      ':c0 $1 ?',
      'ä€😀',
    ];

    test.each(AWKWARD)('a row of %j comes back as it was', async (name) => {
      await op.bulkInsert(things, [
        {
          id: 1,
          name,
          tags: [name],
          doc: { a: name },
          data: name === null ? null : new TextEncoder().encode(name),
        },
      ]);
      const [row] = await all();
      expect(row).toMatchObject({ name, tags: [name], doc: { a: name } });
      expect(row?.['data']).toEqual(name === null ? null : new TextEncoder().encode(name));
    });

    test('rows of all of them together come back as they were, in their order', async () => {
      const rows = AWKWARD.map((name, id) => ({
        id,
        name,
        doc: name === null ? jsonNull : [name],
        tags: [],
      }));
      expect(await op.bulkInsert(things, rows)).toEqual({
        rows: rows.length,
        inserted: rows.length,
        updated: 0,
        passedOver: 0,
        calls: 1,
      });
      expect((await all()).map(({ name, doc, tags }) => [name, doc, tags])).toEqual(
        AWKWARD.map((name) => [name, name === null ? null : [name], []]),
      );
    });

    test('null in a json column is SQL’s, jsonNull is JSON’s', async () => {
      await op.bulkInsert(things, [
        { id: 1, doc: null },
        { id: 2, doc: jsonNull },
      ]);
      expect(
        await op.query(
          'select id, doc is null as none, jsonb_typeof(doc) as type from app.things order by id',
        ),
      ).toEqual([
        { id: 1n, none: true, type: null },
        { id: 2n, none: false, type: 'null' },
      ]);
    });

    test('an absent key gets the default, whatever the order of keys', async () => {
      const result = await op.bulkInsert(things, [
        { id: 1, name: 'a' },
        { name: 'b', id: 2 },
        { id: 3, count: 5, name: undefined },
      ]);
      expect(result).toMatchObject({ rows: 3, calls: 2 });
      expect(await names()).toEqual([
        [1n, 'a', 7],
        [2n, 'b', 7],
        [3n, null, 5],
      ]);
    });

    test('on conflict nothing counts what it passed over', async () => {
      await op.bulkInsert(things, [{ id: 1, name: 'old' }]);
      const rows = [
        { id: 1, name: 'new' },
        { id: 2, name: 'new' },
      ];
      const counts = { rows: 1, inserted: 1, updated: 0, passedOver: 1, calls: 1 };
      expect(await op.bulkInsert(things, rows, { onConflict: 'nothing' })).toEqual(counts);
      await op.execute('delete from app.things where id = 2');
      expect(await op.bulkInsert(things, rows, { onConflict: { key: 'id', update: [] } })).toEqual(counts);
      expect(await names()).toEqual([
        [1n, 'old', 7],
        [2n, 'new', 7],
      ]);
    });

    test('on conflict update tells inserted from updated', async () => {
      await op.bulkInsert(things, [
        { id: 1, name: 'old', count: 1 },
        { id: 2, name: 'old', count: 1 },
      ]);
      const rows = [
        { id: 1, name: 'new', count: 2 },
        { id: 3, name: 'new', count: 2 },
      ];
      expect(await op.bulkInsert(things, rows, { onConflict: { key: 'id', update: ['name'] } })).toEqual({
        rows: 2,
        inserted: 1,
        updated: 1,
        passedOver: 0,
        calls: 1,
      });
      expect(await names()).toEqual([
        [1n, 'new', 1],
        [2n, 'old', 1],
        [3n, 'new', 2],
      ]);
      const again = await op.bulkInsert(things, rows, { onConflict: { key: ['id'] } });
      expect(again).toMatchObject({ inserted: 0, updated: 2 });
      expect(await names()).toContainEqual([1n, 'new', 2]);
    });

    test('on conflict update counts in a partitioned table, too', async () => {
      const parted = table('app.parted', { id: bigint(), n: integer() });
      await op.bulkInsert(parted, [{ id: 1, n: 1 }]);
      const rows = [
        { id: 1, n: 2 },
        { id: 150, n: 2 },
      ];
      expect(await op.bulkInsert(parted, rows, { onConflict: { key: 'id' } })).toMatchObject({
        inserted: 1,
        updated: 1,
      });
    });

    test('on conflict refuses the same key twice, because only chance would say which row wins', async () => {
      const rows = [{ id: 1 }, { id: 2 }, { id: 1, name: 'b' }];
      expect(await refusalOf(() => op.bulkInsert(things, rows, { onConflict: { key: 'id' } }))).toBe(
        'rows-refused: Row 3 for app.things has the same key (id) as a row before it.',
      );
      expect(await names()).toEqual([]);
    });

    test.each([
      ['"key" for app.things names a column "idd" that table() does not declare.', { key: 'idd' }],
      ['"key" for app.things must be a column or a list of different columns.', { key: [] }],
      [
        '"update" for app.things names a column "x" that table() does not declare.',
        { key: 'id', update: ['x'] },
      ],
    ])('refuses a conflict option: %s', async (what, onConflict) => {
      expect(
        await refusalOf(() => op.bulkInsert(things, [], { onConflict: onConflict as { key: 'id' } })),
      ).toBe(`rows-refused: ${what}`);
    });

    test('a key that exists is an error of the database that shows no value', async () => {
      await op.bulkInsert(things, [{ id: 4711, name: 'secret' }]);
      const failure: unknown = await op
        .bulkInsert(things, [{ id: 4711, name: 'secret' }])
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ sqlState: '23505' });
      expect(String(failure)).not.toMatch(/4711|secret/);
    });

    test('a text that PostgreSQL does not take is an error that shows no value', async () => {
      const days = table('app.things', { id: bigint(), name: date() });
      const failure: unknown = await op
        .bulkInsert(days, [{ id: 1, name: 'secret day' }])
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ sqlState: '22007' });
      expect(String(failure)).not.toContain('secret day');
    });
  });

  describe('texts, as a file holds them', () => {
    const typed = table('app.typed', {
      id: bigint(),
      small: integer().nullable(),
      price: numeric().nullable(),
      ratio: double().nullable(),
      on: boolean().nullable(),
      ref: uuid().nullable(),
      day: date().nullable(),
      at: timestamptz().nullable(),
      mood: enumType('app.mood', ['sad', 'happy']).nullable(),
      mail: citext().nullable(),
      code: char(3).nullable(),
      data: bytea().nullable(),
      tags: text().array().nullable(),
      size: column('app.positive').nullable(),
      doc: jsonb().nullable(),
    });
    const FULL = {
      id: '9007199254740993',
      small: '-5',
      price: '1.50',
      ratio: '1e-3',
      on: 'yes',
      ref: REF,
      day: '2026-01-31',
      at: '2026-01-31 10:00:00+02',
      mood: 'sad',
      mail: 'A@b',
      code: 'abc',
      data: String.raw`\x00ff`,
      tags: '{a,"b,c",NULL}',
      size: '3',
      doc: '{"n": 12345678901234567890.5}',
    };

    beforeAll(async () => {
      await op.execute(`create table app.typed (id bigint primary key, small integer, price numeric, ratio double precision,
        "on" boolean, ref uuid, day date, at timestamptz, mood app.mood, mail citext, code char(3), data bytea, tags text[],
        size app.positive, doc jsonb)`);
    });
    beforeEach(async () => {
      await op.execute('truncate app.typed');
    });

    test('go into columns of every type', async () => {
      const empty: TextRow = Object.fromEntries(
        Object.keys(FULL).map((name) => [name, name === 'id' ? '1' : null]),
      );
      const rows: readonly TextRow[] = markTextRows([FULL, empty]);
      expect(await op.bulkInsert(typed, rows)).toMatchObject({ rows: 2, calls: 1 });
      const [none, full] = await op.query(
        `select id, small, price, ratio, "on", ref, day, at, mood, mail::text as mail, code, data, tags, size, doc::text as doc
         from app.typed order by id`,
      );
      expect(full).toEqual({
        ...FULL,
        id: 9_007_199_254_740_993n,
        small: -5,
        ratio: 0.001,
        on: true,
        at: '2026-01-31T08:00:00Z',
        data: Uint8Array.from([0, 255]),
        tags: ['a', 'b,c', null],
        size: 3,
      });
      expect(Object.values(none ?? {}).filter((value) => value !== null)).toEqual([1n]);
    });

    test('a text for a json column is a string, unless the rows are marked as texts', async () => {
      const rows = [{ id: 1n, doc: '{"a":1}' }];
      await op.bulkInsert(typed, rows);
      await op.bulkInsert(typed, [{ id: 2n, doc: '{"a":1}' }], { texts: true });
      expect(await op.query('select doc from app.typed order by id')).toEqual([
        { doc: '{"a":1}' },
        { doc: { a: 1 } },
      ]);
    });

    test.each([
      ['id', '12a', 'a whole number'],
      ['id', '', 'a whole number'],
      ['id', '9223372036854775808', 'a whole number from -9223372036854775808 to 9223372036854775807'],
      ['small', '1.5', 'a whole number'],
      ['price', '1,5', 'a number'],
      ['ratio', 'much', 'a number'],
      ['on', 'maybe', 'true or false'],
      ['ref', '6f2c', 'a UUID'],
      ['mood', 'angry', "one of 'sad', 'happy'"],
      ['data', 'zz', String.raw`bytes in the hex form (\x…)`],
      ['tags', 'a,b', 'an array in the form {…}'],
      ['doc', '{a', 'a JSON document'],
      [
        'doc',
        String.raw`"\u0000"`,
        'text without the character U+0000 and without half surrogate pairs, which PostgreSQL cannot store',
      ],
      [
        'mail',
        'a\u0000',
        'text without the character U+0000 and without half surrogate pairs, which PostgreSQL cannot store',
      ],
    ])('a %s of %j is refused by row and column', async (name, value, wanted) => {
      const rows: readonly TextRow[] = [{ id: '1' }, { id: '2', [name]: value }];
      const sql = typed.types.get(name)?.sql;
      expect(await refusalOf(() => op.bulkInsert(typed, rows, { texts: true }))).toBe(
        `rows-refused: Row 2 for app.typed cannot be sent. A value for app.typed.${name} (${sql}) must be ${wanted}.`,
      );
    });
  });

  describe('update', () => {
    beforeEach(async () => {
      await op.bulkInsert(
        things,
        [1, 2, 3].map((id) => ({ id, name: `n${id}`, count: id, doc: { id } })),
      );
    });

    test('changes only the columns that a row names', async () => {
      const result = await op.bulkUpdate(
        things,
        [
          { id: 1, name: null },
          { id: 2, count: 20 },
          { count: 30, id: 3, name: 'x' },
        ],
        { key: 'id' },
      );
      expect(result).toEqual({ rows: 3, notFound: 0, calls: 3 });
      expect(await names()).toEqual([
        [1n, null, 1],
        [2n, 'n2', 20],
        [3n, 'x', 30],
      ]);
      expect((await all()).map(({ doc }) => doc)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    });

    test('packs thousands of rows into one call', async () => {
      const rows = Array.from({ length: 5000 }, (_, n) => ({ id: n + 10, name: 'a' }));
      await op.bulkInsert(things, rows);
      const changed = rows.map(({ id }) => ({ id, name: `n${id}`, price: '1.50' }));
      expect(await op.bulkUpdate(things, changed, { key: 'id' })).toEqual({
        rows: 5000,
        notFound: 0,
        calls: 1,
      });
      expect(
        await op.query("select count(*) as n from app.things where name = 'n' || id and price = 1.5"),
      ).toEqual([{ n: 5000n }]);
    });

    test('refuses a row that the table does not have, and changes nothing with that call', async () => {
      const rows = [
        { id: 1, name: 'changed' },
        { id: 99, name: 'x' },
        { id: 98, name: 'x' },
      ];
      expect(await refusalOf(() => op.bulkUpdate(things, rows, { key: 'id' }))).toBe(
        'rows-refused: app.things has no row with the key (id) of rows 2, 3.',
      );
      expect(await names()).toContainEqual([1n, 'n1', 1]);
    });

    test('passes over such rows on request, and counts them', async () => {
      const rows = [
        { id: 1, name: 'changed' },
        { id: 99, name: 'x' },
      ];
      expect(await op.bulkUpdate(things, rows, { key: 'id', notFound: 'pass-over' })).toEqual({
        rows: 1,
        notFound: 1,
        calls: 1,
      });
      expect(await names()).toContainEqual([1n, 'changed', 1]);
    });

    test('takes a key of several columns', async () => {
      const pairs = table('app.pairs', { a: text(), b: numeric(), n: integer() });
      await op.bulkInsert(pairs, [
        { a: 'x', b: '1.0', n: 0 },
        { a: 'x', b: '2', n: 0 },
      ]);
      expect(await op.bulkUpdate(pairs, [{ a: 'x', b: 1, n: 5 }], { key: ['a', 'b'] })).toMatchObject({
        rows: 1,
      });
      expect(await op.query('select b, n from app.pairs order by b')).toEqual([
        { b: '1.0', n: 5 },
        { b: '2', n: 0 },
      ]);
      const twice = [
        { a: 'x', b: '2', n: 1 },
        { a: 'x', b: '2.0', n: 2 },
      ];
      expect(
        await refusalOf(() => op.bulkUpdate(pairs, twice, { key: ['a', 'b'], notFound: 'pass-over' })),
      ).toBe('rows-refused: The key (a, b) of row 2 for app.pairs stands in a row before, too.');
      expect(await op.query('select n from app.pairs where b = 2')).toEqual([{ n: 0 }]);
    });

    test('counts every row of the table that a key meets', async () => {
      const byName = table('app.things', { name: text(), count: integer() });
      await op.execute("update app.things set name = 'same'");
      expect(await op.bulkUpdate(byName, [{ name: 'same', count: 0 }], { key: 'name' })).toMatchObject({
        rows: 3,
      });
    });

    test.each([
      [
        'Row 2 for app.things has the same key (id) as a row before it.',
        [
          { id: 1, name: 'a' },
          { id: 1, count: 1 },
        ],
      ],
      ['Row 2 for app.things has no value for the column "id".', [{ id: 1, name: 'a' }, { name: 'b' }]],
      [
        'Row 1 for app.things has null in "id", which table() does not declare as nullable().',
        [{ id: null, name: 'b' }],
      ],
      ['Row 1 for app.things names no column besides its key.', [{ id: 1 }]],
      ['Row 1 for app.things has a column "nmae" that table() does not declare.', [{ id: 1, nmae: 'b' }]],
    ])('refuses: %s', async (what, rows) => {
      expect(await refusalOf(() => op.bulkUpdate(things, rows as { id: number }[], { key: 'id' }))).toBe(
        `rows-refused: ${what}`,
      );
      expect(await names()).toContainEqual([1n, 'n1', 1]);
    });

    test('sends nothing for no rows', async () => {
      expect(await op.bulkUpdate(things, [], { key: 'id' })).toEqual({ rows: 0, notFound: 0, calls: 0 });
    });
  });
});
