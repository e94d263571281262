import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table, text } from 'forerun';
import { work } from '../../lambda/engine/backfill/operate.ts';
import { DEFAULT_LIMITS } from '../../lambda/engine/limits.ts';
import type { RunNote } from '../../lambda/engine/ports.ts';
import { realClock } from '../../lambda/clock.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const rows = table('thing', { id: bigint(), n: integer().nullable(), m: integer().defaulted() });

const create = (count: number) =>
  migration({
    after: 'base',
    async up({ op }) {
      await op.execute('create table thing (id bigint primary key, n int, m int not null default 0)');
      await op.execute(`insert into thing select g, null, 0 from generate_series(1, ${count}) g`);
    },
    down: irreversible('a test'),
  });

const common = {
  after: '0001_create',
  table: rows,
  key: 'id',
  where: sql`n is null`,
  hold: true,
  pauseMs: 0,
  batchRows: 40,
  down: 'nothing to undo',
} as const;

const tally = (database: FreshDatabase): Promise<readonly Record<string, unknown>[]> =>
  database.query('select n, count(*)::int as rows from thing group by n order by n');

describe('a batch that fails', () => {
  test('is tried again, split, and then the backfill pauses at the very row; resumed, it goes on from there', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create(200),
      '0002_fill': backfill({ ...common, set: { n: sql`100 / (id - 123)` } }),
    });
    const waits: RunNote[] = [];
    const tell = (note: RunNote): void => {
      if (note.note === 'waiting') waits.push(note);
    };
    const result = await database.up(history, { clock: fastClock(), tell });
    expect(result.error?.code).toBe('backfill-stopped');
    expect(result.error?.text.what).toContain('SQLSTATE 22012 at thing (id) = (123)');
    expect(result.steps.at(-1)?.outcome).toBe('partial');
    expect(waits).toHaveLength(2);
    expect((await database.query('select count(*)::int as done from thing where n is not null'))[0]).toEqual({
      done: 122,
    });
    expect(await database.query('select state, reason from forerun.backfill')).toEqual([
      { state: 'paused', reason: 'SQLSTATE 22012 at thing (id) = (123)' },
    ]);
    const next = await database.up(history);
    expect(next.error?.code).toBe('backfill-refused');
    await database.query('delete from thing where id = 123');
    await database.query(`update forerun.backfill set state = 'enqueued'`);
    expect((await database.up(history)).error).toBeNull();
    expect(await database.query('select count(*)::int as missed from thing where n is null')).toEqual([
      { missed: 0 },
    ]);
  });

  test('by a transform that throws on one row pauses there, and keeps none of its words', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create(100),
      '0002_fill': backfill({
        ...common,
        transform: ({ id }) => {
          if (id === 57n) throw new RangeError('secret of row 57');
          return { n: Number(id) };
        },
      }),
    });
    const result = await database.up(history, { clock: fastClock() });
    expect(result.error?.text.what).toContain('transform threw a RangeError at thing (id) = (57)');
    expect(JSON.stringify(await database.query('select * from forerun.backfill'))).not.toContain('secret');
    expect(await database.query('select count(*)::int as done from thing where n = id')).toEqual([
      { done: 56 },
    ]);
  });

  test('because a row is locked for long is tried again until it is not', async () => {
    const database = await place.freshDatabase();
    const other = await database.connect();
    const history = historyOf({
      '0001_create': create(100),
      '0002_fill': backfill({ ...common, set: { n: 1 }, lockTimeoutMs: 50 }),
    });
    await database.up(history, { to: '0001_create' });
    await other.query('begin; update thing set m = 5 where id = 60');
    let ended = false;
    const result = await database.up(history, {
      clock: fastClock(),
      tell: (note) => {
        if (note.note !== 'waiting' || ended) return;
        ended = true;
        void other.query('commit');
      },
    });
    await other.end();
    expect(ended).toBe(true);
    expect(result.error).toBeNull();
    expect(await tally(database)).toEqual([{ n: 1, rows: 100 }]);
  });
});

describe('a lock on the whole table', () => {
  const fill = backfill({ ...common, set: { n: 1 }, pauseMs: 1, lockTimeoutMs: 50 });
  const LOCK = 'begin; lock table thing in access exclusive mode';

  test('is not taken for a cost of the rows', async () => {
    const database = await place.freshDatabase();
    const other = await database.connect();
    const history = historyOf({ '0001_create': create(200), '0002_fill': fill });
    let skewMs = 0;
    const releasing: Promise<void>[] = [];
    const release = async (): Promise<void> => {
      const waiting = "select from pg_locks where not granted and relation = to_regclass('thing')";
      while ((await database.query(waiting)).length === 0) await setImmediate();
      skewMs += 10_000;
      await other.query('commit');
    };
    const sizes: number[] = [];
    const result = await database.up(history, {
      clock: {
        now: () => Date.now() + skewMs,
        async sleep(milliseconds, cancel) {
          if (sizes.length > 0 && releasing.length === 0) {
            await other.query(LOCK);
            releasing.push(release());
          }
          await realClock.sleep(milliseconds, cancel);
        },
      },
      tell: (note) => {
        if (note.note === 'batch') sizes.push(note.nextRows);
      },
    });
    await Promise.all(releasing);
    await other.end();
    expect(result.error).toBeNull();
    expect(releasing).toHaveLength(1);
    expect(sizes[1]).toBeGreaterThanOrEqual(40);
  });

  test('is waited for however long it is held, and no row is blamed', async () => {
    const database = await place.freshDatabase();
    const other = await database.connect();
    const history = historyOf({ '0001_create': create(200), '0002_fill': fill });
    await database.up(history, { to: '0001_create' });
    let ranges = false;
    let waits = 0;
    const ended: Promise<unknown>[] = [];
    const result = await database.up(history, {
      clock: fastClock(),
      limits: { ...DEFAULT_LIMITS, statementTimeoutMs: 400 },
      timeMs: 600_000,
      async beforeBegin() {
        if (ranges && waits === 0) await other.query(LOCK);
      },
      tell: (note) => {
        ranges ||= note.note === 'backfill';
        if (note.note !== 'waiting') return;
        waits += 1;
        if (waits === 12) ended.push(other.query('commit'));
      },
    });
    await Promise.all(ended);
    await other.end();
    expect(result.error).toBeNull();
    expect(waits).toBeGreaterThanOrEqual(12);
    expect(await tally(database)).toEqual([{ n: 1, rows: 200 }]);
  });
});

/** Every write of the table fails so often with this SQLSTATE. */
const failing = async (database: FreshDatabase, written: string, sqlState: string, times: number) => {
  await database.query(`create sequence blows;
    create function strike() returns trigger language plpgsql as 'begin
      if nextval(''blows'') <= ${times} then raise exception using errcode = ''${sqlState}''; end if;
      return new;
    end';
    create trigger strike before update on ${written} for each row execute function strike()`);
};

describe('a database that cannot be written to for a while', () => {
  const fill = backfill({ ...common, set: { n: 1 } });

  test.each([
    ['whose endpoint still leads to the old writer', 'thing', '25006'],
    ['before a range is taken', 'forerun.lease', '25006'],
    ['whose connections are all taken', 'thing', '53300'],
    ['whose disk is full', 'thing', '53100'],
    ['whose storage fails', 'thing', '58030'],
  ])('%s: no row is blamed, and the work goes on when it can', async (_why, written, sqlState) => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create(100),
      '0002_fill': backfill({ ...common, hold: false, set: { n: 1 } }),
    });
    await database.up(history);
    await failing(database, written, sqlState, 12);
    const operator = operatorOf(history, 'w');
    const clock = fastClock();
    const sizes: number[] = [];
    const tell = (note: RunNote): void => {
      if (note.note === 'batch') sizes.push(note.rows);
    };
    await work(['0002_fill'], operator, clock.now() + 600_000, database.ports({ clock, tell }));
    expect(await tally(database)).toEqual([{ n: 1, rows: 100 }]);
    expect(sizes[0]).toBe(40);
    expect(await database.query('select state, reason from forerun.backfill')).toEqual([
      { state: 'succeeded', reason: null },
    ]);
  });

  test('until the time is over: the run says what it waited for, and the next one goes on', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({ '0001_create': create(100), '0002_fill': fill });
    await database.up(history, { to: '0001_create' });
    await failing(database, 'thing', '25006', 1_000_000);
    const result = await database.up(history, { clock: fastClock(), timeMs: 90_000 });
    expect(result.error?.code).toBe('backfill-working');
    expect(result.error?.text.what).toContain('25006');
    expect(await database.query('select state, reason from forerun.backfill')).toEqual([
      { state: 'running', reason: null },
    ]);
    await database.query('drop trigger strike on thing');
    expect((await database.up(history)).error).toBeNull();
    expect(await tally(database)).toEqual([{ n: 1, rows: 100 }]);
  });
});

describe('rows of any width', () => {
  test.each(['transform', 'set'] as const)(
    'fit into the calls of the form %s, by smaller batches',
    async (form) => {
      const database = await place.freshDatabase();
      const wide = table('wide', { id: bigint(), doc: text(), n: integer().nullable() });
      const change =
        form === 'set'
          ? ({ set: { doc: sql`doc || 'x'`, n: 1 } } as const)
          : { transform: ({ doc }: { readonly doc: string }) => ({ doc: `${doc}x`, n: 1 }) };
      const history = historyOf({
        '0001_create': migration({
          after: 'base',
          async up({ op }) {
            await op.execute('create table wide (id bigint primary key, doc text not null, n int)');
            await op.execute(`insert into wide select g, repeat('w', 20000) from generate_series(1, 120) g`);
          },
          down: irreversible('a test'),
        }),
        '0002_widen': backfill({ ...common, table: wide, batchRows: 500, ...change } as never),
      });
      const result = await database.up(history, { clock: fastClock() });
      expect(result.error).toBeNull();
      expect(
        await database.query('select length(doc) as width, n, count(*)::int as rows from wide group by 1, 2'),
      ).toEqual([{ width: 20_001, n: 1, rows: 120 }]);
    },
  );
});

describe('the table changes meanwhile', () => {
  test('rows written before and committed after the cursor passed are found by the closing sweep', async () => {
    const database = await place.freshDatabase();
    const other = await database.connect();
    const history = historyOf({
      '0001_create': create(100),
      '0002_fill': backfill({ ...common, set: { n: 1 } }),
    });
    await database.up(history, { to: '0001_create' });
    await other.query('begin; insert into thing values (0), (1000)');
    let committed = false;
    const result = await database.up(history, {
      clock: fastClock(),
      tell: (note) => {
        if (note.note !== 'waiting' || committed) return;
        committed = true;
        void other.query('commit');
      },
    });
    await other.end();
    expect(committed).toBe(true);
    expect(result.error).toBeNull();
    expect(await tally(database)).toEqual([{ n: 1, rows: 102 }]);
  });

  test('rows inserted behind and ahead of the cursor while it runs are done once', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create(200),
      '0002_fill': backfill({ ...common, set: { n: 1, m: sql`m + 1` } }),
    });
    let inserts = 0;
    const pending: Promise<unknown>[] = [];
    const result = await database.up(history, {
      tell: (note) => {
        if (note.note !== 'batch' || inserts === 3) return;
        inserts += 1;
        pending.push(database.query(`insert into thing values (${-inserts}), (${10_000 + inserts})`));
      },
      beforeBegin: async () => void (await Promise.all(pending)),
    });
    await Promise.all(pending);
    expect(result.error).toBeNull();
    expect(
      await database.query(
        'select max(m) as most, min(m) as least from thing where n = 1 and id between 1 and 200',
      ),
    ).toEqual([{ most: 1, least: 1 }]);
    expect(await database.query('select max(m) as most from thing')).toEqual([{ most: 1 }]);
  });

  test('a column that goes stops it clearly, with what is done standing', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create(300),
      '0002_fill': backfill({ ...common, pauseMs: 1, set: { n: 1, m: 2 } }),
    });
    const dropped: Promise<unknown>[] = [];
    const result = await database.up(history, {
      // The pause after the first batch lasts until the column is gone.
      clock: {
        now: realClock.now,
        async sleep(milliseconds, cancel) {
          await Promise.all(dropped);
          await realClock.sleep(milliseconds, cancel);
        },
      },
      tell: (note) => {
        if (note.note === 'batch' && dropped.length === 0) {
          dropped.push(database.query('alter table thing drop column m'));
        }
      },
    });
    await Promise.all(dropped);
    expect(result.error?.code).toBe('backfill-stopped');
    expect(result.error?.text.what).toContain('is failed: SQLSTATE 42703');
    expect(result.error?.text.next).toContain('"retry"');
    const again = await database.up(history);
    expect(again.error?.code).toBe('backfill-refused');
  });

  test.each([0, 1])('a table of %i rows is done at once', async (count) => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create(count),
      '0002_fill': backfill({ ...common, set: { n: 1 } }),
      '0003_raise': backfill({
        ...common,
        after: '0002_fill',
        where: sql`true`,
        frozen: true,
        parallel: 3,
        set: { m: sql`m + 1` },
      }),
      '0004_compute': backfill({
        ...common,
        after: '0003_raise',
        where: sql`n = 1`,
        transform: () => ({ n: 2 }),
      }),
    });
    expect((await database.up(history)).error).toBeNull();
    expect(await database.query('select n, m from thing')).toEqual(count === 0 ? [] : [{ n: 2, m: 1 }]);
  });
});

describe('the time of a run is over', () => {
  test('the deploy says so, and the next run goes on from the cursor', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create(400),
      '0002_fill': backfill({ ...common, frozen: true, pauseMs: 5_000, set: { n: 1, m: sql`m + 1` } }),
    });
    const first = await database.up(history, { clock: fastClock(), timeMs: 42_000 });
    expect(first.error?.code).toBe('backfill-working');
    expect(first.steps.map(({ outcome }) => outcome)).toEqual(['applied', 'partial']);
    const [before] = await database.query('select scanned::int as scanned from forerun.backfill_range');
    expect(Number(before?.['scanned'])).toBeGreaterThan(0);
    expect(Number(before?.['scanned'])).toBeLessThan(400);
    const second = await database.up(history, { clock: fastClock() });
    expect(second.error).toBeNull();
    expect(await database.query('select n, m, count(*)::int as rows from thing group by n, m')).toEqual([
      { n: 1, m: 1, rows: 400 },
    ]);
  });
});

describe('several workers', () => {
  test('share the ranges of one backfill, and each row is changed once', async () => {
    const database = await place.freshDatabase();
    const definitions = {
      '0001_create': create(900),
      '0002_fill': backfill({
        ...common,
        hold: false,
        frozen: true,
        parallel: 2,
        batchRows: 15,
        set: { n: 1, m: sql`m + 1` },
      }),
    };
    const history = historyOf(definitions);
    expect((await database.up(history)).backfills).toEqual(['0002_fill']);
    const places = [1, 2, 3].map((number) =>
      work(
        ['0002_fill'],
        { history: 'default', migrations: history, worker: `worker ${number}`, limits: DEFAULT_LIMITS },
        Date.now() + 60_000,
        database.ports(),
      ),
    );
    await Promise.all(places);
    expect(await database.query('select n, m, count(*)::int as rows from thing group by n, m')).toEqual([
      { n: 1, m: 1, rows: 900 },
    ]);
    expect(await database.query('select state from forerun.backfill')).toEqual([{ state: 'succeeded' }]);
    expect(await database.query(`select name from forerun.lease where name <> 'run'`)).toEqual([]);
  });
});

describe('a backfill that was begun and that a person stamped', () => {
  test('is no longer half done', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create(90),
      '0002_fill': backfill({ ...common, pauseMs: 9_000, set: { n: 1 } }),
    });
    const first = await database.up(history, { clock: fastClock(), timeMs: 42_000 });
    expect(first.error?.code).toBe('backfill-working');
    const down = await database.down(history, '0001_create');
    expect(down.error?.code).toBe('plan-half-done');
    await database.query(
      `insert into forerun.migration (history, id, checksum, after, run_id) values ('default', '0002_fill', 'v1:0002_fill', '["0001_create"]', 'x')`,
    );
    expect((await database.down(history, '0001_create')).error).toBeNull();
    expect(await database.query('select id from forerun.backfill')).toEqual([]);
  });
});
