import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Migration } from '../../lambda/engine/migration.ts';
import type { RunResult } from '../../lambda/engine/outcome.ts';
import type { Goal } from '../../lambda/engine/plan.ts';
import { startArena, type Arena } from '../campaign/arena.ts';
import { impatientClient } from '../campaign/client.ts';
import { runEngine } from '../campaign/engine-run.ts';
import { openLane, type Lane } from '../campaign/lane.ts';
import { lineOf } from './line-of.ts';

let arena: Arena;
let lane: Lane;

beforeAll(async () => {
  arena = await startArena('hard');
});
afterAll(async () => {
  await arena.close();
});
beforeEach(async () => {
  lane = await openLane(arena);
  await lane.prepare({ migrations: [] }, 'installed');
});
afterEach(async () => {
  arena.dataApi.faults.clear();
  await lane.close();
});

const taskFor = (runId: string) => ({
  endpoint: arena.dataApi.url,
  accessKeyId: `${lane.database}_${runId}`,
  database: lane.database,
  runId,
  seed: runId,
});

const UP: Goal = { direction: 'up', to: 'head', atomic: 'group' };

const run = (migrations: readonly Migration[], runId: string, goal: Goal = UP): Promise<RunResult> =>
  runEngine({ migrations, goal }, taskFor(runId));

/** Holds a call of one run back until it is released. */
const hold = (runId: string, sql: string | undefined, operation?: 'CommitTransaction') =>
  arena.dataApi.faults.next({
    kind: 'hold-before',
    ...(operation === undefined ? {} : { operation }),
    where: (call) =>
      call.accessKeyId === `${lane.database}_${runId}` &&
      (sql === undefined || call.sql?.includes(sql) === true),
  });

const rows = async (sql: string): Promise<readonly unknown[]> =>
  (await lane.direct.query({ text: sql, rowMode: 'array' })).rows.flat();

const journal = (): Promise<readonly unknown[]> => rows('select id from forerun.migration order by id');

const numbers = lineOf(
  { id: '0001_n', up: ['create table n (n int)'], down: ['drop table n'] },
  { id: '0002_one', up: ['insert into n values (1)'], down: ['delete from n where n = 1'] },
  { id: '0003_two', up: ['insert into n values (2)'], down: ['delete from n where n = 2'] },
);

describe('another run comes in between', () => {
  test('a journal that changed between the reading and the bid is read again', async () => {
    await run(numbers.slice(0, 2), 'before');
    const bid = hold('up', 'skip locked');
    const up = run(numbers, 'up');
    await bid.struck;
    await run(numbers.slice(0, 2), 'down', { direction: 'down', to: '0001_n', atomic: 'group' });
    bid.release();
    expect((await up).outcome).toBe('applied');
    // With a reading that is out of date, 0003 would be applied and 0002 missing below it.
    expect(await journal()).toEqual(['0001_n', '0002_one', '0003_two']);
    expect(await rows('select n from n order by n')).toEqual([1, 2]);
  });

  test('a run with nothing pending does not call the database ready while somebody reverts', async () => {
    await run(numbers, 'before');
    const claim = hold('down', 'with fence');
    const commit = hold('down', undefined, 'CommitTransaction');
    const goal = { direction: 'down', to: '0002_one', atomic: 'group' } as const;
    const task = { ...taskFor('down'), limits: { idleTimeoutMs: 30_000 } };
    const down = runEngine({ migrations: numbers, goal }, task);
    await claim.struck;
    // Its lease has expired, but its transaction is open.
    await lane.direct.query(`update forerun.lease set expires_at = clock_timestamp() - interval '1 minute'`);
    claim.release();
    await commit.struck;
    let answered = false;
    const up = run(numbers, 'up').finally(() => (answered = true));
    await until(() => callsOf('up') >= 3);
    expect(answered).toBe(false);
    commit.release();
    await down;
    expect((await up).outcome).toBe('applied');
    expect(await journal()).toEqual(['0001_n', '0002_one', '0003_two']);
    expect(await rows('select n from n order by n')).toEqual([1, 2]);
  });
});

describe('a transaction that is not over', () => {
  test('a commit that is still at work when its caller gives up counts once', async () => {
    const history = lineOf({
      id: '0001_slow_commit',
      up: [
        'create table n (n int)',
        'create table m (n int)',
        `create function put() returns trigger language plpgsql as 'begin perform pg_sleep(0.4); insert into m values (1); return null; end'`,
        'create constraint trigger late after insert on n deferrable initially deferred for each row execute function put()',
        'insert into n values (1)',
      ],
    });
    const working = Promise.withResolvers<void>();
    const going = runEngine(
      { migrations: history, goal: UP },
      taskFor('up'),
      impatientClient(taskFor('up'), working.promise),
    );
    await untilRow(
      `select 1 from pg_stat_activity where datname = current_database() and query = 'commit' and state = 'active'`,
    );
    working.resolve();
    expect(await going).toMatchObject({
      outcome: 'applied',
      steps: [{ migration: '0001_slow_commit', outcome: 'applied' }],
    });
    expect(await rows('select n from n')).toEqual([1]);
    expect(await rows('select n from m')).toEqual([1]);
  });

  test('of a dead runner gives its locks back after the idle limit, not after three minutes', async () => {
    await run(numbers.slice(0, 1), 'before');
    const second = hold('dead', 'insert into n values (2)');
    const locking = lineOf(
      { id: '0001_n', up: [] },
      { id: '0002_locks', up: ['lock table n in access exclusive mode', 'insert into n values (2)'] },
    );
    const dead = run(locking, 'dead');
    await second.struck;
    // The app waits for the lock, and gets it: the transaction's own idle limit is half a second here.
    await lane.direct.query(`set statement_timeout = '10s'`);
    expect(await rows('select n from n')).toEqual([]);
    await lane.direct.query('reset statement_timeout');
    second.release();
    await dead;
    expect((await run(locking, 'next')).outcome).toBe('applied');
    expect(await rows('select n from n')).toEqual([2]);
  });

  test('keeps the row of its lease locked, so that nobody can take the lease', async () => {
    const commit = hold('slow', undefined, 'CommitTransaction');
    const slow = run(numbers.slice(0, 1), 'slow');
    await commit.struck;
    await lane.direct.query('begin');
    const seen = await lane.direct.query(
      `select from forerun.lease where name = 'run' for update skip locked`,
    );
    await lane.direct.query('rollback');
    expect(seen.rowCount).toBe(0);
    commit.release();
    await slow;
    expect(await journal()).toEqual(['0001_n']);
  });
});

describe('locks', () => {
  test('that somebody else holds are asked for briefly and again, as a whole', async () => {
    await run(numbers.slice(0, 1), 'before');
    await lane.direct.query('begin');
    await lane.direct.query('lock table n');
    const up = run(numbers, 'up');
    // Two seconds are the limit of a campaign's run; after it the whole group is tried again.
    await until(() => beginsOf('up') >= 2);
    await lane.direct.query('rollback');
    expect((await up).outcome).toBe('applied');
    expect(await rows('select n from n order by n')).toEqual([1, 2]);
  });
});

const moods = (own: boolean) =>
  lineOf(
    {
      id: '0001_mood',
      up: [`create type mood as enum ('good')`, 'create table diary (feeling mood)'],
      own: true,
    },
    { id: '0002_bad', up: [`alter type mood add value 'bad'`], own },
    { id: '0003_use', up: [`insert into diary values ('bad')`], own },
  );

describe('what PostgreSQL refuses in one transaction', () => {
  test('an enum value used in the transaction that adds it fails with the advice that fits', async () => {
    const result = await run(moods(false), 'up');
    expect(result.error?.place).toMatchObject({ migration: '0003_use', sqlState: '55P04' });
    expect(result.error?.text.next).toContain(`atomic: 'migration'`);
    expect(await journal()).toEqual(['0001_mood']);
  });

  test('an enum value used after the commit that adds it works', async () => {
    expect((await run(moods(true), 'up')).outcome).toBe('applied');
    expect(await rows('select feeling::text from diary')).toEqual(['bad']);
  });
});

test('a history of 10,000 migrations costs one call when nothing is pending, and a handful when one is', async () => {
  const long = lineOf(
    ...Array.from({ length: 10_000 }, (_, index) => ({ id: `m${String(index).padStart(5, '0')}`, up: [] })),
  );
  const all = await run(long.slice(0, 9_999), 'first');
  expect(all.outcome).toBe('applied');
  expect(await run(long.slice(0, 9_999), 'second')).toMatchObject({
    steps: [],
    dataApiCalls: 1,
    error: null,
  });
  expect((await run(long, 'third')).dataApiCalls).toBe(6);
});

const callsOf = (runId: string): number =>
  arena.dataApi.calls().filter(({ accessKeyId }) => accessKeyId === `${lane.database}_${runId}`).length;

const beginsOf = (runId: string): number =>
  arena.dataApi
    .calls()
    .filter(
      ({ accessKeyId, operation }) =>
        accessKeyId === `${lane.database}_${runId}` && operation === 'BeginTransaction',
    ).length;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((wake) => setImmediate(wake));
}

async function untilRow(sql: string): Promise<void> {
  while ((await lane.direct.query(sql)).rows.length === 0);
}
