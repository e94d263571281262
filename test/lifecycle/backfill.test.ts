import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  backfill,
  bigint,
  integer,
  irreversible,
  migration,
  sql,
  table,
  text,
  timestamptz,
  uuid,
} from 'forerun';
import { historyOf } from '../authoring/history-of.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const articles = table('articles', {
  id: bigint(),
  title: text(),
  slug: text().nullable(),
  price: integer(),
});

const create = migration({
  after: 'base',
  async up({ op }) {
    await op.execute(
      'create table articles (id bigint primary key, title text not null, slug text, price integer not null)',
    );
    await op.execute(
      `insert into articles select n * 3, 'Title ' || n, null, n % 7 from generate_series(1, 1200) n`,
    );
  },
  down: irreversible('a test'),
});

const fillSlug = backfill({
  after: '0001_create',
  table: articles,
  key: 'id',
  where: sql`slug is null`,
  set: { slug: sql`lower(replace(title, ' ', '-'))` },
  hold: true,
  pauseMs: 0,
  batchRows: 100,
  down: 'nothing to undo',
});

const count = async (database: FreshDatabase, where: string): Promise<number> =>
  Number((await database.query(`select count(*) as n from articles where ${where}`))[0]?.['n']);

describe('a backfill that holds the deploy', () => {
  test('changes every row once, is claimed with its success, and leaves no lease', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({ '0001_create': create, '0002_fill': fillSlug });
    const result = await database.up(history);
    expect(result.error).toBeNull();
    expect(result.steps.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
    expect(await count(database, `slug = 'title-' || (id / 3)`)).toBe(1200);
    expect(await database.query('select state, total from forerun.backfill')).toEqual([
      { state: 'succeeded', total: null },
    ]);
    expect(await database.query('select name from forerun.lease')).toEqual([{ name: 'run' }]);
    const again = await database.up(history);
    expect(again.steps).toEqual([]);
    expect(again.dataApiCalls).toBe(1);
  });

  test('of a frozen set changes each row once though the change leaves no trace', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create,
      '0002_raise': backfill({
        after: '0001_create',
        table: articles,
        key: 'id',
        where: sql`price > 2`,
        frozen: true,
        set: { price: sql`price + 10` },
        hold: true,
        pauseMs: 0,
        down: irreversible('nobody knows the old prices'),
      }),
    });
    const result = await database.up(history);
    expect(result.error).toBeNull();
    const prices = await database.query(
      'select price, count(*)::int as n from articles group by price order by price',
    );
    expect(prices.map(({ price }) => price)).toEqual([0, 1, 2, 13, 14, 15, 16]);
    expect(await database.query(`select relname from pg_class where relname like 'target%'`)).toEqual([]);
  });

  test('refuses a change that leaves its own where true, and nothing of it stays', async () => {
    const database = await place.freshDatabase();
    const result = await database.up(
      historyOf({
        '0001_create': create,
        '0002_endless': backfill({
          after: '0001_create',
          table: articles,
          key: 'id',
          where: sql`price >= 0`,
          set: { price: sql`price + 1` },
          hold: true,
          down: 'nothing to undo',
        }),
      }),
    );
    expect(result.error).toMatchObject({ code: 'backfill-stopped' });
    expect(result.error?.text.what).toContain('leaves its own where true');
    expect(await count(database, 'price = (id / 3) % 7')).toBe(1200);
    expect(await database.query('select state from forerun.backfill')).toEqual([{ state: 'failed' }]);
    const again = await database.up(historyOf({ '0001_create': create, '0002_endless': fillSlug }));
    expect(again.error?.code).toBe('backfill-refused');
  });
});

describe('the other forms', () => {
  test('transform reads rows, computes, and writes back where they are as they were read', async () => {
    const database = await place.freshDatabase();
    const seen: bigint[] = [];
    const history = historyOf({
      '0001_create': create,
      '0002_compute': backfill({
        after: '0001_create',
        table: articles,
        key: 'id',
        where: sql`slug is null`,
        transform: ({ id, title, price }) => {
          seen.push(id);
          return { slug: `${title}/${price}` };
        },
        hold: true,
        pauseMs: 0,
        batchRows: 100,
        down: 'nothing to undo',
      }),
    });
    const result = await database.up(history);
    expect(result.error).toBeNull();
    expect(await count(database, `slug = title || '/' || price`)).toBe(1200);
    expect(new Set(seen).size).toBe(1200);
  });

  test('transform lets a row win that somebody else wrote meanwhile, and reads it again', async () => {
    const database = await place.freshDatabase();
    const other = await database.connect();
    let writes: Promise<unknown> | null = null;
    const history = historyOf({
      '0001_create': create,
      '0002_compute': backfill({
        after: '0001_create',
        table: articles,
        key: 'id',
        where: sql`slug is null`,
        transform: ({ title, price }) => {
          // Between the reading and the writing; the session's own statement is sent before the next call can be.
          writes ??= other.query('update articles set price = 1000 where id in (3, 9)');
          return { slug: `${title}/${price}` };
        },
        hold: true,
        pauseMs: 0,
        down: 'nothing to undo',
      }),
    });
    const result = await database.up(history, { beforeBegin: async () => void (await writes) });
    await other.end();
    expect(result.error).toBeNull();
    expect(await count(database, `slug = title || '/' || price`)).toBe(1200);
    expect(await count(database, `price = 1000 and slug like '%/1000'`)).toBe(2);
  });

  test('batch runs the author’s statements in one transaction with the cursor', async () => {
    const database = await place.freshDatabase();
    const windows: [bigint | undefined, bigint | undefined][] = [];
    const result = await database.up(
      historyOf({
        '0001_create': create,
        '0002_batch': backfill({
          after: '0001_create',
          table: articles,
          key: 'id',
          where: sql`slug is null`,
          async batch({ op, from, to, rows }) {
            windows.push([from.id, to.id]);
            await op.execute(sql`update articles set price = price + 100 where ${rows}`);
            await op.execute(sql`update articles set slug = 'done' where ${rows}`);
          },
          hold: true,
          pauseMs: 0,
          batchRows: 400,
          down: 'nothing to undo',
        }),
      }),
    );
    expect(result.error).toBeNull();
    expect(await count(database, `slug = 'done' and price between 100 and 106`)).toBe(1200);
    expect(windows[0]).toEqual([3n, 1200n]);
  });

  test('insertFrom copies each row once', async () => {
    const database = await place.freshDatabase();
    const archive = table('archive', { article: bigint(), label: text() });
    const result = await database.up(
      historyOf({
        '0001_create': create,
        '0002_archive': migration({
          after: '0001_create',
          up: ({ op }) => op.execute('create table archive (article bigint primary key, label text)'),
          down: irreversible('a test'),
        }),
        '0003_copy': backfill({
          after: '0002_archive',
          table: articles,
          key: 'id',
          where: sql`price > 3`,
          insertFrom: { into: archive, columns: { article: 'id', label: sql`upper(title)` } },
          hold: true,
          pauseMs: 0,
          down: 'nothing to undo',
        }),
      }),
    );
    expect(result.error).toBeNull();
    expect(
      await count(
        database,
        'price > 3 and exists (select from archive a where a.article = articles.id and label = upper(title))',
      ),
    ).toBe(await count(database, 'price > 3'));
    expect(Number((await database.query('select count(*) as n from archive'))[0]?.['n'])).toBe(
      await count(database, 'price > 3'),
    );
  });
});

const thing = (create: string) =>
  migration({
    after: 'base',
    async up({ op }) {
      await op.execute(create);
    },
    down: irreversible('a test'),
  });

describe('keys', () => {
  test.each([
    [
      'uuid',
      `create table thing as select gen_random_uuid() as id, null::text as mark from generate_series(1, 700)`,
      { id: uuid() },
    ],
    [
      'text',
      `create table thing as select 'Käse ' || chr(97 + n % 26) || n as id, null::text as mark from generate_series(1, 700) n`,
      { id: text() },
    ],
    [
      'int',
      `create table thing as select n as id, null::text as mark from generate_series(1, 700) n`,
      { id: integer() },
    ],
    [
      'numeric',
      `create table thing as select n / 7.0 as id, null::text as mark from generate_series(1, 700) n`,
      { id: text() },
    ],
  ])('a single one of type %s', async (_type, sqlText, columns) => {
    const database = await place.freshDatabase();
    const things = table('thing', { ...columns, mark: text().nullable() });
    const result = await database.up(
      historyOf({
        '0001_thing': migration({
          after: 'base',
          async up({ op }) {
            await op.execute(sqlText);
            await op.execute('alter table thing add primary key (id)');
          },
          down: irreversible('a test'),
        }),
        '0002_mark': backfill({
          after: '0001_thing',
          table: things,
          key: 'id',
          where: sql`mark is null`,
          set: { mark: 'x' },
          hold: true,
          pauseMs: 0,
          batchRows: 50,
          down: 'nothing to undo',
        }),
      }),
    );
    expect(result.error).toBeNull();
    expect(await database.query('select mark, count(*)::int as n from thing group by mark')).toEqual([
      { mark: 'x', n: 700 },
    ]);
  });

  test('of several columns, in parallel ranges, with many equal moments', async () => {
    const database = await place.freshDatabase();
    const things = table('thing', { at: timestamptz(), id: uuid(), n: integer() });
    const result = await database.up(
      historyOf({
        '0001_thing': migration({
          after: 'base',
          async up({ op }) {
            await op.execute(
              'create table thing (at timestamptz, id uuid, n int not null, primary key (at, id))',
            );
            await op.execute(
              `insert into thing select timestamptz '2026-01-01 00:00:00.000001+00' + (n / 100) * interval '1 microsecond', gen_random_uuid(), 0 from generate_series(1, 1000) n`,
            );
          },
          down: irreversible('a test'),
        }),
        '0002_count': backfill({
          after: '0001_thing',
          table: things,
          key: ['at', 'id'],
          frozen: true,
          set: { n: (eb) => eb('n', '+', 1) },
          hold: true,
          pauseMs: 0,
          batchRows: 30,
          parallel: 4,
          down: 'nothing to undo',
        }),
      }),
    );
    expect(result.error).toBeNull();
    expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
      { n: 1, rows: 1000 },
    ]);
    expect((await database.query('select count(*)::int as n from forerun.backfill_range'))[0]?.['n']).toBe(
      16,
    );
  });

  test.each([
    ['id bigint, n int', 'may be null'],
    ['id bigint not null, n int', 'no unique index'],
    ['id bigint not null, n int, unique (id, n)', 'no unique index'],
    ['id bigint not null, n int, exclude using btree (id with =)', 'no unique index'],
    ['id point not null, n int', 'has no order'],
    ['nr bigint primary key, n int', 'has no column id'],
  ])('that cannot be walked over are refused at once: %s', async (columns, why) => {
    const database = await place.freshDatabase();
    const things = table('thing', { id: bigint(), n: integer() });
    const result = await database.up(
      historyOf({
        '0001_thing': thing(`create table thing (${columns})`),
        '0002_count': backfill({
          after: '0001_thing',
          table: things,
          key: 'id',
          where: sql`n is null`,
          set: { n: 1 },
          hold: true,
          down: 'nothing to undo',
        }),
      }),
    );
    expect(result.error?.code).toBe('backfill-stopped');
    expect(result.error?.text.what).toContain(why);
  });

  test.each([
    ['text', 'text_pattern_ops', 'default operator class'],
    ['varchar', 'varchar_pattern_ops', 'default operator class'],
    ['text', 'text_ops', 'no flaw'],
    ['varchar', 'varchar_ops', 'no flaw'],
  ])(
    'of the type %s and the operator class %s can be walked over if that is the default one',
    async (type, order, why) => {
      const database = await place.freshDatabase();
      const things = table('thing', { id: text(), n: integer() });
      const result = await database.up(
        historyOf({
          '0001_thing': migration({
            after: 'base',
            async up({ op }) {
              await op.execute(`create table thing (id ${type} not null, n int)`);
              await op.execute(`create unique index on thing (id ${order})`);
            },
            down: irreversible('a test'),
          }),
          '0002_count': backfill({
            after: '0001_thing',
            table: things,
            key: 'id',
            where: sql`n is null`,
            set: { n: 1 },
            hold: true,
            down: 'nothing to undo',
          }),
        }),
      );
      expect(result.error?.text.what ?? 'no flaw').toContain(why);
    },
  );
});

test('SQL that ends with a comment hides nothing of ours', async () => {
  const database = await place.freshDatabase();
  const things = table('thing', { id: bigint(), n: integer().nullable() });
  const copies = table('copy', { id: bigint(), n: integer() });
  const common = {
    table: things,
    key: 'id',
    hold: true,
    pauseMs: 0,
    parallel: 2,
    down: 'nothing to undo',
  } as const;
  const history = historyOf({
    '0001_thing': migration({
      after: 'base',
      async up({ op }) {
        await op.execute('create table thing (id bigint primary key, n int)');
        await op.execute('create table copy (id bigint primary key, n int)');
        await op.execute('insert into thing select generate_series(1, 20)');
      },
      down: irreversible('a test'),
    }),
    '0002_set': backfill({
      ...common,
      after: '0001_thing',
      where: sql`n is null -- no number`,
      set: { n: sql`1 -- the first` },
    }),
    '0003_transform': backfill({
      ...common,
      after: '0002_set',
      where: sql`n = 1 -- as set`,
      transform: () => ({ n: 2 }),
    }),
    '0004_batch': backfill({
      ...common,
      after: '0003_transform',
      where: sql`n = 2 -- as computed`,
      batch: ({ op, rows }) => op.execute(sql`update thing set n = 3 where ${rows}`),
    }),
    '0005_frozen': backfill({
      ...common,
      after: '0004_batch',
      where: sql`n = 3 -- as written`,
      frozen: true,
      set: { n: sql`n + 1 -- more` },
    }),
    '0006_copy': backfill({
      ...common,
      after: '0005_frozen',
      where: sql`n = 4 -- as raised`,
      insertFrom: { into: copies, columns: { id: 'id', n: sql<number>`n + 1 -- more` } },
    }),
  });
  expect((await database.up(history)).error).toBeNull();
  expect(await database.query('select n, count(*)::int as rows from copy group by n')).toEqual([
    { n: 5, rows: 20 },
  ]);
});
