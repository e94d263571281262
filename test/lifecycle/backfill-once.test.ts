import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table, text, uuid } from 'forerun';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
import { startWorkplace, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const things = table('thing', { id: bigint(), n: integer(), mark: text().nullable() });

const create = (...more: string[]) =>
  migration({
    after: 'base',
    async up({ op }) {
      await op.execute('create table thing (id bigint primary key, n int not null default 0, mark text)');
      await op.execute('insert into thing select g from generate_series(1, 60) g');
      for (const one of more) await op.execute(one);
    },
    down: irreversible('a test'),
  });

const common = {
  after: '0001_create',
  table: things,
  key: 'id',
  hold: true,
  pauseMs: 0,
  batchRows: 10,
  down: 'nothing to undo',
} as const;

describe('a batch of one’s own statements', () => {
  test.each([
    ['by its own update', 'update thing set n = n + 1 where '],
    ['because it never touches the rows', 'insert into audit select id from thing where '],
  ])('that leaves its own where true, %s, is refused, and nothing of it stays', async (_how, statement) => {
    const database = await place.freshDatabase();
    const result = await database.up(
      historyOf({
        '0001_create': create('create table audit (id bigint)'),
        '0002_own': backfill({
          ...common,
          where: sql`mark is null`,
          batch: ({ op, rows }) => op.execute(sql`${sql.raw(statement)}${rows}`),
        }),
      }),
      { clock: fastClock() },
    );
    expect(result.error?.code).toBe('backfill-stopped');
    expect(result.error?.text.what).toContain('leaves its own where true');
    expect(
      await database.query('select sum(n)::int as n, (select count(*)::int from audit) as noted from thing'),
    ).toEqual([{ n: 0, noted: 0 }]);
    expect(await database.query('select state from forerun.backfill')).toEqual([{ state: 'failed' }]);
    expect(await database.query('select cursor_key, batches from forerun.backfill_range')).toEqual([
      { cursor_key: null, batches: '0' },
    ]);
  });

  test('that forgets some of its rows is refused', async () => {
    const database = await place.freshDatabase();
    const result = await database.up(
      historyOf({
        '0001_create': create(),
        '0002_own': backfill({
          ...common,
          where: sql`mark is null`,
          batch: ({ op, rows }) => op.execute(sql`update thing set mark = 'x' where id <> 35 and ${rows}`),
        }),
      }),
      { clock: fastClock() },
    );
    expect(result.error?.text.what).toContain('leaves its own where true');
    expect(
      await database.query(
        `select count(*) = max(id) as all_before, max(id) between 10 and 34 as and_no_more from thing where mark = 'x'`,
      ),
    ).toEqual([{ all_before: true, and_no_more: true }]);
  });

  test('does each row once beside sessions that insert, delete and change rows of its window meanwhile', async () => {
    const database = await place.freshDatabase();
    const other = await database.connect();
    let windows = 0;
    const result = await database.up(
      historyOf({
        '0001_create': create('delete from thing where id % 10 = 5', 'create table audit (id bigint)'),
        '0002_own': backfill({
          ...common,
          batchRows: 9,
          where: sql`mark is null`,
          async batch({ op, rows, from }) {
            const first = Number(from.id);
            const meddles = windows < 3;
            windows += 1;
            if (meddles) {
              await other.query(`update thing set n = n + 10 where id = ${first}`);
              await other.query(`delete from thing where id = ${first + 1}`);
              await other.query(`update thing set mark = 'for now' where id = ${first + 2}`);
            }
            await op.execute(
              sql`with done as (update thing set n = n + 1, mark = 'x' where ${rows} returning id) insert into audit select id from done`,
            );
            if (!meddles) return;
            await other.query(`insert into thing values (${first + 1}), (${first + 4})`);
            // A savepoint, so that the version has a number of its own.
            await other.query(
              `begin; savepoint one; update thing set mark = null where id = ${first + 2}; release one; commit`,
            );
          },
        }),
      }),
      { clock: fastClock() },
    );
    await other.end();
    expect(result.error).toBeNull();
    expect(
      await database.query('select n, mark, count(*)::int as rows from thing group by 1, 2 order by 1'),
    ).toEqual([
      { n: 1, mark: 'x', rows: 54 },
      { n: 11, mark: 'x', rows: 3 },
    ]);
    expect(
      await database.query('select count(*)::int as rows, count(distinct id)::int as ids from audit'),
    ).toEqual([{ rows: 57, ids: 57 }]);
  });

  test('is refused with a composite key, too', async () => {
    const database = await place.freshDatabase();
    const pairs = table('pair', { a: uuid(), b: text(), n: integer() });
    const result = await database.up(
      historyOf({
        '0001_create': create(
          'create table pair (a uuid, b text, n int not null default 0, primary key (a, b))',
          `insert into pair select md5((g / 7)::text)::uuid, 'ü"''' || g from generate_series(1, 40) g`,
        ),
        '0002_own': backfill({
          ...common,
          table: pairs,
          key: ['a', 'b'],
          where: sql`n < 5`,
          parallel: 2,
          batch: ({ op, rows }) => op.execute(sql`update pair set n = n + 1 where ${rows}`),
        }),
      }),
      { clock: fastClock() },
    );
    expect(result.error?.text.what).toContain('leaves its own where true');
    expect(await database.query('select sum(n)::int as n from pair')).toEqual([{ n: 0 }]);
  });
});

describe('insertFrom', () => {
  const copies = table('copy', { id: uuid(), thing: bigint(), n: integer() });

  const copyInto = (made: readonly string[], columns: object, more: object = {}) =>
    historyOf({
      '0001_create': create(...made),
      '0002_copy': backfill({
        ...common,
        insertFrom: { into: copies, columns },
        ...more,
      } as never),
    });

  const REFUSED: readonly { over: string; made: readonly string[]; given: object }[] = [
    {
      over: 'a generated value',
      made: ['create table copy (id uuid primary key, thing bigint)'],
      given: { id: sql`gen_random_uuid()`, thing: 'id' },
    },
    {
      over: 'the key beside a column that may change',
      made: ['create table copy (thing bigint, n int, primary key (thing, n))'],
      given: { thing: 'id', n: 'n' },
    },
    {
      over: 'the key beside a default',
      made: ['create table copy (thing bigint, id uuid default gen_random_uuid(), primary key (thing, id))'],
      given: { thing: 'id' },
    },
    {
      over: 'the key beside a column that may be null',
      made: ['create table copy (thing bigint not null, n int, unique (thing, n))'],
      given: { thing: 'id', n: sql`null` },
    },
    {
      over: 'the key as an expression',
      made: ['create table copy (thing bigint primary key)'],
      given: { thing: sql`id + (random() * 1000)::int` },
    },
    {
      over: 'only a column that may change',
      made: ['create table copy (n int primary key)'],
      given: { n: 'n' },
    },
    {
      over: 'some of the rows',
      made: [
        'create table copy (thing bigint not null)',
        'create unique index on copy (thing) where thing > 10',
      ],
      given: { thing: 'id' },
    },
    {
      over: 'the key, at the end of the transaction',
      made: ['create table copy (thing bigint primary key deferrable)'],
      given: { thing: 'id' },
    },
  ];

  test.each(REFUSED)('is refused where the unique index is over $over', async ({ made, given }) => {
    const database = await place.freshDatabase();
    const result = await database.up(copyInto(made, given));
    expect(result.error?.code).toBe('backfill-stopped');
    expect(result.error?.text.what).toContain('a row could be copied twice: add one, or write frozen: true');
    expect(await database.query('select count(*)::int as n from copy')).toEqual([{ n: 0 }]);
  });

  test.each([
    ['over the key under another name', 'id uuid not null, thing bigint primary key', {}],
    [
      'over the key that holds another column, too',
      'id uuid not null, thing bigint not null, unique (thing) include (id), primary key (id)',
      {},
    ],
    [
      'of a frozen set, over a generated value',
      'id uuid primary key, thing bigint',
      { frozen: true, parallel: 2 },
    ],
  ])('copies each row once with a unique index %s', async (_what, columns, more) => {
    const database = await place.freshDatabase();
    const given = { id: sql`gen_random_uuid()`, thing: 'id' };
    const result = await database.up(copyInto([`create table copy (${columns})`], given, more), {
      clock: fastClock(),
    });
    expect(result.error).toBeNull();
    expect(
      await database.query('select count(*)::int as n, count(distinct thing)::int as things from copy'),
    ).toEqual([{ n: 60, things: 60 }]);
  });

  test.each([
    ['', {}],
    [' of a frozen set', { frozen: true, where: sql`true` }],
  ])('pauses at a row%s that another unique index does not let in', async (_what, more) => {
    const database = await place.freshDatabase();
    const history = copyInto(
      ['create table copy (thing bigint primary key, n int unique)', 'update thing set n = least(id, 57)'],
      { thing: 'id', n: 'n' },
      more,
    );
    const result = await database.up(history, { clock: fastClock() });
    expect(result.error?.text.what).toContain('is paused: SQLSTATE 23505 at thing (id) = (58)');
    expect(await database.query('select count(*)::int as n, max(thing)::int as last from copy')).toEqual([
      { n: 57, last: 57 },
    ]);
    await database.query('alter table copy drop constraint copy_n_key');
    await database.query(`update forerun.backfill set state = 'enqueued'`);
    expect((await database.up(history, { clock: fastClock() })).error).toBeNull();
    expect(await database.query('select count(*)::int as n from copy')).toEqual([{ n: 60 }]);
  });

  test('may give the key to a second column, and copies each row once over a key of several columns', async () => {
    const database = await place.freshDatabase();
    const pair = table('pair', { a: bigint(), b: bigint() });
    const copied = table('copied', { B: bigint(), a: bigint(), was: bigint() });
    const result = await database.up(
      historyOf({
        '0001_create': create(
          'create table pair (a bigint, b bigint, primary key (a, b))',
          'insert into pair select g % 7, g from generate_series(1, 60) g',
          'create table copied (a bigint not null, was bigint, "B" bigint not null, unique ("B", a))',
        ),
        '0002_copy': backfill({
          ...common,
          table: pair,
          key: ['a', 'b'],
          where: sql`true`,
          insertFrom: { into: copied, columns: { was: 'b', B: 'b', a: 'a' } },
        }),
      }),
      { clock: fastClock() },
    );
    expect(result.error).toBeNull();
    expect(await database.query('select count(*)::int as n from copied where was = "B"')).toEqual([
      { n: 60 },
    ]);
  });
});
