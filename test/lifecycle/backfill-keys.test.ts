import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  backfill,
  bigint,
  char,
  column,
  integer,
  interval,
  irreversible,
  migration,
  sql,
  table,
  text,
  timestamptz,
  uuid,
  varchar,
  type Column,
} from 'forerun';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
import { startWorkplace, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

interface Key {
  readonly types: readonly string[];
  readonly columns: Readonly<Record<string, Column<unknown, unknown>>>;
  /** The key of row `n`, as expressions of SQL. */
  readonly values: readonly string[];
  readonly rows?: number;
  /** What must be there before the table. */
  readonly first?: readonly string[];
}

/** Keys whose types are easily written in a way that cuts, rounds or checks a value that is cast to them. */
const KEYS: Readonly<Record<string, Key>> = {
  'char(8)': {
    types: ['char(8)'],
    columns: { k: char(8) },
    values: [`'a' || lpad(n::text, 5, '0')`],
  },
  'bit(8)': { types: ['bit(8)'], columns: { k: column('bit(8)') }, values: ['n::bit(8)'] },
  'char(3)[]': {
    types: ['char(3)[]'],
    columns: { k: char(3).array() },
    values: [`array[lpad(n::text, 3, '0'), 'x']`],
  },
  '"char"': { types: ['"char"'], columns: { k: column('"char"') }, values: ['chr(n + 32)::"char"'] },
  'varchar(8)': {
    types: ['varchar(8)'],
    columns: { k: varchar(8) },
    values: [`'a' || lpad(n::text, 7, '0')`],
  },
  uuid: { types: ['uuid'], columns: { k: uuid() }, values: [`md5(n::text)::uuid`] },
  'timestamptz(3) and bigint': {
    types: ['timestamptz(3)', 'bigint'],
    columns: { k: timestamptz(), l: bigint() },
    values: [`timestamptz '2026-01-01 00:00:00.001+00' + (n / 15) * interval '1 millisecond'`, 'n'],
  },
  'numeric(6,2)': { types: ['numeric(6,2)'], columns: { k: column('numeric') }, values: ['n / 8.0'] },
  'interval second(3)': {
    types: ['interval second(3)'],
    columns: { k: interval() },
    values: [`n * interval '1.5 seconds'`],
  },
  'a domain over char(8) whose check older values do not pass': {
    types: ['code'],
    columns: { k: column('code') },
    values: [`'a' || lpad(n::text, 7, '0')`],
    first: ['create domain code as char(8)'],
  },
};

const WHICH = Object.keys(KEYS);

const common = { hold: true, pauseMs: 0, batchRows: 7, down: 'nothing to undo' } as const;

const historyOver = ({ types, columns, values, rows = 40, first = [] }: Key) => {
  const names = Object.keys(columns);
  const thing = table('thing', { ...columns, n: integer(), mark: text().nullable() });
  const key = names as never;
  const given = Object.fromEntries(names.map((name) => [name, name])) as never;
  return historyOf({
    '0001_create': migration({
      after: 'base',
      async up({ op }) {
        for (const one of first) await op.execute(one);
        const list = names.map((name, at) => `${name} ${types[at]} not null`).join(', ');
        await op.execute(
          `create table thing (${list}, n int not null default 0, mark text, primary key (${names.join(', ')}))`,
        );
        await op.execute(
          `insert into thing select ${values.join(', ')} from generate_series(1, ${rows}) n order by random()`,
        );
        await op.execute(`create table copied (${list}, primary key (${names.join(', ')}))`);
        await op.execute(`create table tally (${list})`);
        if (types[0] === 'code') {
          await op.execute(`alter domain code add constraint short check (length(value) < 3) not valid`);
        }
      },
      down: irreversible('a test'),
    }),
    '0002_set': backfill({
      ...common,
      after: '0001_create',
      table: thing,
      key,
      where: sql`mark is null`,
      set: { mark: 'set', n: sql`n + 1` },
    }),
    '0003_transform': backfill({
      ...common,
      after: '0002_set',
      table: thing,
      key,
      where: sql`mark = 'set'`,
      transform: ({ n }) => ({ mark: 'computed', n: n + 1 }),
    }),
    '0004_frozen': backfill({
      ...common,
      after: '0003_transform',
      table: thing,
      key,
      frozen: true,
      set: { n: sql`n + 1` },
    }),
    '0005_parallel': backfill({
      ...common,
      after: '0004_frozen',
      table: thing,
      key,
      frozen: true,
      parallel: 2,
      set: { n: sql`n + 1` },
    }),
    '0006_own': backfill({
      ...common,
      after: '0005_parallel',
      table: thing,
      key,
      where: sql`mark = 'computed'`,
      parallel: 2,
      batch: ({ op, rows: these }) =>
        op.execute(sql`update thing set n = n + 1, mark = 'own' where ${these}`),
    }),
    '0007_copy': backfill({
      ...common,
      after: '0006_own',
      table: thing,
      key,
      insertFrom: { into: table('copied', columns), columns: given },
    }),
    '0008_tally': backfill({
      ...common,
      after: '0007_copy',
      table: thing,
      key,
      frozen: true,
      insertFrom: { into: table('tally', columns), columns: given },
    }),
  });
};

describe('each row is changed once by each form, with a key of', () => {
  test.each(WHICH)('%s', async (name) => {
    const { rows = 40, ...key } = KEYS[name] as Key;
    const database = await place.freshDatabase();
    const result = await database.up(historyOver({ ...key, rows }), { clock: fastClock() });
    expect(result.error).toBeNull();
    expect(await database.query('select n, mark, count(*)::int as rows from thing group by 1, 2')).toEqual([
      { n: 5, mark: 'own', rows },
    ]);
    const names = Object.keys(key.columns).join(', ');
    expect(
      await database.query(
        `select count(*)::int as rows, count(distinct (${names}))::int as keys from tally`,
      ),
    ).toEqual([{ rows, keys: rows }]);
    expect(
      await database.query(`select count(*)::int as rows from copied join thing using (${names})`),
    ).toEqual([{ rows }]);
  });
});

const numbers = table('thing', { id: bigint(), n: integer() });

const createNumbers = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table thing (id int primary key, n int not null default 0)');
    await op.execute('insert into thing select g from generate_series(1, 100) g');
  },
  down: irreversible('a test'),
});

/** With pauses between batches. */
const paused = { ...common, pauseMs: 1_000, after: '0001_create', key: 'id' } as const;

const raising = historyOf({
  '0001_create': createNumbers,
  '0002_raise': backfill({ ...paused, table: numbers, where: sql`n = 0`, set: { n: 1 } }),
});

/** Something happens in the pause after the first batch; tells how the run ended. */
const meanwhile = async (history: ReturnType<typeof historyOf>, statement: string) => {
  const database = await place.freshDatabase();
  const happened: Promise<unknown>[] = [];
  const clock = fastClock();
  const result = await database.up(history, {
    clock: {
      now: () => clock.now(),
      async sleep(milliseconds, cancel) {
        await Promise.all(happened);
        await clock.sleep(milliseconds, cancel);
      },
    },
    tell: (note) => {
      if (note.note === 'batch' && happened.length === 0) happened.push(database.query(statement));
    },
  });
  await Promise.all(happened);
  return { database, result };
};

describe('while it works', () => {
  test.each([
    ['the table is dropped', 'drop table thing', 'SQLSTATE 42P01', 'there is no table thing'],
    [
      'the key becomes a text',
      'alter table thing alter id type text',
      'SQLSTATE 42883',
      'the keys in id were of the type bigint when it began, and are text now',
    ],
    [
      'the changed column becomes a text',
      'alter table thing alter n type text',
      'SQLSTATE 42883',
      'SQLSTATE 42883',
    ],
  ])('%s: it stops clearly, and again when it is retried', async (_what, statement, why, again) => {
    const { database, result } = await meanwhile(raising, statement);
    expect(result.error?.code).toBe('backfill-stopped');
    expect(result.error?.text.what).toContain(`is failed: ${why}`);
    expect(result.error?.text.next).toContain('"retry"');
    const [range] = await database.query(
      'select cursor_key ->> 0 as cursor, changed::int as changed from forerun.backfill_range',
    );
    expect(range).toEqual({ cursor: String(range?.['changed']), changed: range?.['changed'] });
    await database.query(`update forerun.backfill set state = 'enqueued'`);
    const retried = await database.up(raising, { clock: fastClock() });
    expect(retried.error?.text.what).toContain(again);
  });

  test('the key becomes wider: it goes on, beyond what the narrow type could hold', async () => {
    const { database, result } = await meanwhile(
      raising,
      `alter table thing alter id type bigint; insert into thing select 5000000000 + g from generate_series(1, 30) g`,
    );
    expect(result.error).toBeNull();
    expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
      { n: 1, rows: 130 },
    ]);
  });

  test('a key of characters becomes wider: no row is met twice', async () => {
    const codes = table('thing', { id: char(), n: integer() });
    const { database, result } = await meanwhile(
      historyOf({
        '0001_create': migration({
          after: 'base',
          async up({ op }) {
            await op.execute('create table thing (id char(3) primary key, n int not null default 0)');
            await op.execute(`insert into thing select lpad(g::text, 3, '0') from generate_series(1, 60) g`);
          },
          down: irreversible('a test'),
        }),
        '0002_raise': backfill({
          ...paused,
          table: codes,
          where: sql`n < 100`,
          set: { n: sql`n + 100` },
        }),
      }),
      `alter table thing alter id type char(6); insert into thing select '1' || lpad(g::text, 5, '0') from generate_series(1, 40) g`,
    );
    expect(result.error).toBeNull();
    expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
      { n: 100, rows: 100 },
    ]);
  });
});

const spans = (declared: Column<string, string>, form: object) =>
  historyOf({
    '0001_create': migration({
      after: 'base',
      async up({ op }) {
        await op.execute('create table thing (k interval primary key, n int not null default 0)');
        await op.execute(`insert into thing select g * interval '1 minute' from generate_series(1, 20) g`);
      },
      down: irreversible('a test'),
    }),
    '0002_raise': backfill({
      ...common,
      after: '0001_create',
      table: table('thing', { k: declared, n: integer() }),
      key: 'k',
      where: sql`n = 0`,
      ...form,
    } as never),
  });

test.each([
  ['set', { set: { n: 1 } }],
  ['transform', { transform: () => ({ n: 1 }) }],
])(
  'a key that the Data API cannot return, declared as a text, is none to the form %s',
  async (_form, form) => {
    const database = await place.freshDatabase();
    expect((await database.up(spans(text(), form))).error).toBeNull();
    expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
      { n: 1, rows: 20 },
    ]);
  },
);

test.each([
  ['set', { set: { n: 1 } }],
  ['transform', { transform: () => ({ n: 1 }) }],
])('a partitioned table is walked over as one by the form %s', async (_form, form) => {
  const database = await place.freshDatabase();
  const result = await database.up(
    historyOf({
      '0001_create': migration({
        after: 'base',
        async up({ op }) {
          await op.execute(
            'create table thing (id bigint primary key, n int not null default 0) partition by hash (id)',
          );
          for (const part of [0, 1]) {
            await op.execute(
              `create table part_${part} partition of thing for values with (modulus 2, remainder ${part})`,
            );
          }
          await op.execute('insert into thing select g from generate_series(1, 40) g');
        },
        down: irreversible('a test'),
      }),
      '0002_raise': backfill({
        ...common,
        after: '0001_create',
        table: table('thing', { id: bigint(), n: integer() }),
        key: 'id',
        where: sql`n = 0`,
        ...form,
      }),
    }),
    { clock: fastClock() },
  );
  expect(result.error).toBeNull();
  expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
    { n: 1, rows: 40 },
  ]);
});

test('a type without a length cuts no value that is written', async () => {
  const database = await place.freshDatabase();
  const things = table('thing', {
    id: bigint(),
    code: column('character').nullable(),
    flags: column('bit').nullable(),
    codes: column('char[]').nullable(),
  });
  const result = await database.up(
    historyOf({
      '0001_create': migration({
        after: 'base',
        async up({ op }) {
          await op.execute(
            'create table thing (id bigint primary key, code char(4), flags bit(4), codes char(4)[])',
          );
          await op.execute('insert into thing select g from generate_series(1, 20) g');
        },
        down: irreversible('a test'),
      }),
      '0002_fill': backfill({
        ...common,
        after: '0001_create',
        table: things,
        key: 'id',
        where: sql`code is null`,
        transform: () => ({ code: 'abcd', flags: '1010', codes: '{abcd,efgh}' }),
      }),
    }),
  );
  expect(result.error).toBeNull();
  expect(await database.query('select distinct code, flags::text, codes::text from thing')).toEqual([
    { code: 'abcd', flags: '1010', codes: '{abcd,efgh}' },
  ]);
});
