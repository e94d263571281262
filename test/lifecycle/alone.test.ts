import { once } from 'node:events';
import type { RDSDataClient } from '@aws-sdk/client-rds-data';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Migration } from '../../lambda/engine/migration.ts';
import type { RunResult } from '../../lambda/engine/outcome.ts';
import type { Goal } from '../../lambda/engine/plan.ts';
import type { BoundValue } from '../../lambda/engine/ports.ts';
import { startArena, type Arena } from '../campaign/arena.ts';
import { impatientClient } from '../campaign/client.ts';
import { runEngine, type EngineTask } from '../campaign/engine-run.ts';
import { openLane, type Lane } from '../campaign/lane.ts';
import { lineOf } from './line-of.ts';

let arena: Arena;
let lane: Lane;

beforeAll(async () => {
  arena = await startArena('hard', { statementLimitMs: 400 });
});
afterAll(async () => {
  await arena.close();
});
beforeEach(async () => {
  lane = await openLane(arena);
  await lane.prepare({ migrations: [] }, 'installed');
  await lane.direct.query('create table n (n int); create table word (w text)');
});
afterEach(async () => {
  arena.dataApi.faults.clear();
  await lane.close();
});

const UP: Goal = { direction: 'up', to: 'head', atomic: 'group' };
const DOWN: Goal = { direction: 'down', to: 'base', atomic: 'group' };

const run = (
  migrations: readonly Migration[],
  runId: string,
  more: Partial<EngineTask> & { readonly goal?: Goal } = {},
  client?: RDSDataClient,
): Promise<RunResult> =>
  runEngine(
    { migrations, goal: more.goal ?? UP },
    {
      endpoint: arena.dataApi.url,
      accessKeyId: `${lane.database}_${runId}`,
      database: lane.database,
      runId,
      seed: runId,
      ...more,
    },
    client,
  );

const byRun = (runId: string) => (call: { readonly accessKeyId: string }) =>
  call.accessKeyId === `${lane.database}_${runId}`;

/** How often a run sent a statement with this text. */
const sent = (runId: string, text: string): number =>
  arena.dataApi.calls().filter((call) => byRun(runId)(call) && call.sql?.includes(text) === true).length;

const rows = async (sql: string): Promise<readonly unknown[]> =>
  (await lane.direct.query({ text: sql, rowMode: 'array' })).rows.flat();

const stepsOf = ({ steps }: RunResult): readonly string[] =>
  steps.map(({ migration, outcome }) => `${migration} ${outcome}`);

const journal = (): Promise<readonly unknown[]> => rows('select id from forerun.migration order by id');
const ledger = (): Promise<readonly unknown[]> =>
  rows('select number, state from forerun.statement order by number');
const indexes = (): Promise<readonly unknown[]> =>
  rows(`select indexrelid::regclass::text, indisvalid from pg_index where indrelid = 'n'::regclass`);

/** Waits for what the test has set in motion in the database. */
async function until(sql: string): Promise<void> {
  while ((await rows(sql)).length === 0) await new Promise<void>((wake) => setImmediate(wake));
}
/** How the engine's own statements begin. */
const LOOK = 'with mine as';
const RECORDED = `answer ->> 'ended'`;
const AT_WORK = (text: string): string =>
  `select 1 from pg_stat_activity where state = 'active' and query like '/* forerun%${text}%' and datname = current_database()`;

/** An open transaction that has written into the table: a concurrent build waits for its end. */
async function holdTable(): Promise<Client> {
  const client = await arena.connect(lane.database);
  await client.query('begin; insert into n values (0)');
  return client;
}

const one = (...up: readonly string[]): Migration[] =>
  lineOf({ id: '0001_one', up: [...up], down: ['drop index concurrently n_n'], alone: 'short' });
const BUILD = 'create index concurrently n_n on n (n)';

describe('statements outside a transaction', () => {
  test('each commits by itself, and the next run goes on after the last one that is done', async () => {
    const broken = one(
      'insert into n values (1)',
      'insert into n values (2)',
      'insert into absent values (3)',
    );
    const first = await run(broken, 'first');
    expect(stepsOf(first)).toEqual(['0001_one partial']);
    expect(first.outcome).toBe('partial');
    expect(first.error).toMatchObject({
      code: 'migration-failed',
      text: {
        state:
          'What 0001_one did before stands, because it has no transaction; the next run goes on after it.',
      },
      place: { statement: 3, sqlState: '42P01' },
    });
    expect(await rows('select n from n order by n')).toEqual([1, 2]);
    expect(await ledger()).toEqual([1, 'done', 2, 'done']);
    const mended = one('insert into n values (1)', 'insert into n values (2)', 'insert into n values (3)');
    expect(stepsOf(await run(mended, 'second'))).toEqual(['0001_one applied']);
    expect(await rows('select n from n order by n')).toEqual([1, 2, 3]);
    expect(await ledger()).toEqual([]);
  });

  test('a failure of the first statement leaves nothing, and says so', async () => {
    const result = await run(one('insert into absent values (1)'), 'first');
    expect(stepsOf(result)).toEqual(['0001_one rolled-back']);
    expect(result.error?.text.state).toBe('Nothing of it stays.');
    expect(await ledger()).toEqual([]);
  });

  test.each([
    ['edited', ['insert into n values (7)', 'insert into n values (2)']],
    ['left out', []],
  ])('a done statement that was %s is refused', async (_, edited) => {
    await run(one('insert into n values (1)', 'insert into absent values (2)'), 'first');
    const result = await run(one(...edited), 'second');
    expect(result.error?.code).toBe('plan-changed');
    expect(await rows('select n from n')).toEqual([1]);
  });

  test('what a transaction refuses is possible, between statements with effects', async () => {
    const steps = one(
      `create type mood as enum ('good')`,
      `alter type mood add value 'bad'`,
      'create table diary (feeling mood)',
      `insert into diary values ('bad')`,
      BUILD,
      'vacuum diary',
      'alter index n_n rename to n_m',
      'drop index concurrently n_m',
    );
    expect(stepsOf(await run(steps, 'first'))).toEqual(['0001_one applied']);
    expect(await rows('select feeling from diary')).toEqual(['bad']);
    expect(await indexes()).toEqual([]);
    expect(await ledger()).toEqual([]);
  });

  test('every kind of value arrives as it is in a transaction', async () => {
    const values: Record<string, BoundValue> = {
      t: `it's :x '' \\ ü`,
      i: 9_007_199_254_740_993n,
      d: 1.5,
      w: 3,
      b: true,
      y: new Uint8Array([0, 255, 16]),
      z: null,
    };
    const into = (table: string, alone: 'short' | undefined): Migration[] =>
      lineOf({
        id: `0001_${table}`,
        up: async (session) => {
          const sql = `insert into ${table} select :t, :i, :d, :w, :b, :y, :z, ':t', '{"a": ":i"}'::jsonb, :t`;
          await session.execute({ sql, parameters: values }, { rows: false });
        },
        ...(alone === undefined ? {} : { alone }),
      });
    const columns = 't text, i bigint, d float, w int, b bool, y bytea, z int, l text, j jsonb, u text';
    await lane.direct.query(`create table a (${columns}); create table b (${columns})`);
    expect((await run(into('a', 'short'), 'alone')).outcome).toBe('applied');
    await lane.direct.query('delete from forerun.event; delete from forerun.migration');
    expect((await run(into('b', undefined), 'together')).outcome).toBe('applied');
    expect(await rows('select to_jsonb(t)::text from a t')).toEqual(
      await rows('select to_jsonb(t)::text from b t'),
    );
  });

  test('reads are possible, and a read that writes is refused', async () => {
    const seen: unknown[] = [];
    const reading = lineOf({
      id: '0001_read',
      alone: 'short',
      up: async (session) => {
        await session.execute({ sql: 'insert into n values (4)' }, { rows: false });
        seen.push((await session.execute({ sql: 'select n from n' }, { rows: true })).rows);
      },
    });
    expect((await run(reading, 'first')).outcome).toBe('applied');
    expect(seen).toEqual([[{ n: 4 }]]);
    await lane.direct.query(
      `create function f() returns int language sql as 'insert into n values (5) returning n'`,
    );
    const writing = (sql: string): Migration[] => [
      ...reading,
      ...lineOf({ id: '0002_w', alone: 'short', up: (session) => session.execute({ sql }, { rows: true }) }),
    ];
    const history = (sql: string): Migration[] =>
      writing(sql).map((one, at) => (at === 1 ? { ...one, after: ['0001_read'] } : one));
    expect((await run(history('select f()'), 'second')).error?.text.what).toContain(
      'rows were asked for writes',
    );
    const returning = await run(history('insert into n values (6) returning n'), 'third');
    expect(returning.error?.text.what).toContain('returning');
    expect(await rows('select n from n')).toEqual([4]);
  });

  test('the number of rows that a statement changed is told again when it is not sent again', async () => {
    const counts: number[] = [];
    const counting = (more: string): Migration[] =>
      lineOf({
        id: '0001_count',
        alone: 'short',
        up: async (session) => {
          const sql = 'insert into n select generate_series(1, 12)';
          counts.push((await session.execute({ sql }, { rows: false })).affected);
          await session.execute({ sql: more }, { rows: false });
        },
      });
    await run(counting('insert into absent values (1)'), 'first');
    await run(counting('insert into n values (1)'), 'second');
    expect(counts).toEqual([12, 12]);
  });

  test('a value that an error would quote is nowhere to be seen', async () => {
    const secret = 'hunter2hunter2';
    const leaking = lineOf({
      id: '0001_leak',
      alone: 'long',
      up: (session) =>
        session.execute(
          { sql: 'insert into n select cast(:v as int) from pg_sleep(0.6)', parameters: { v: secret } },
          { rows: false },
        ),
    });
    const limits = { statementTimeoutMs: 5_050 };
    const result = await run(leaking, 'first', { limits });
    expect(result.error?.place.sqlState).toBe('22P02');
    expect(JSON.stringify(result)).not.toContain(secret);
    expect(JSON.stringify(await rows('select s::text from forerun.statement s'))).not.toContain(secret);
    expect(JSON.stringify(await rows('select r::text from forerun.run r'))).not.toContain(secret);
  });

  test('is finished in its own direction first', async () => {
    await run(one('insert into n values (1)', 'insert into absent values (2)'), 'first');
    const other = await run(one('insert into n values (1)'), 'down', { goal: DOWN });
    expect(other.error).toMatchObject({
      code: 'plan-half-done',
      text: { what: 'Half applied outside a transaction: 0001_one.' },
    });
    expect(await rows('select n from n')).toEqual([1]);
  });

  test('a release that does not know a half-done migration refuses to work', async () => {
    await run(one('insert into n values (1)', 'insert into absent values (2)'), 'first');
    const result = await run(lineOf({ id: '0001_other', up: ['insert into n values (2)'] }), 'second');
    expect(result.error?.text.what).toBe('Applied, but missing from this release: 0001_one (half done).');
  });

  test('up, down and up again', async () => {
    expect((await run(one(BUILD), 'up')).outcome).toBe('applied');
    expect(await indexes()).toEqual(['n_n', true]);
    expect((await run(one(BUILD), 'down', { goal: DOWN })).outcome).toBe('applied');
    expect(await indexes()).toEqual([]);
    expect((await run(one(BUILD), 'again')).outcome).toBe('applied');
    expect(await indexes()).toEqual(['n_n', true]);
    expect(await journal()).toEqual(['0001_one']);
  });
});

describe('a recorded statement that arrives late', () => {
  test('finds itself fenced, and does nothing', async () => {
    const held = arena.dataApi.faults.next({
      kind: 'hold-before',
      where: (call) => byRun('first')(call) && call.sql?.includes(RECORDED) === true,
    });
    const task = { endpoint: arena.dataApi.url, accessKeyId: `${lane.database}_first` };
    const result = await run(
      one('insert into n values (1)'),
      'first',
      {},
      impatientClient(task, held.struck),
    );
    expect(stepsOf(result)).toEqual(['0001_one applied']);
    held.release();
    while (sent('first', RECORDED) < 2) await new Promise<void>((wake) => setImmediate(wake));
    expect(await rows('select n from n')).toEqual([1]);
    expect(await ledger()).toEqual([]);
  });
});

describe('an index that is built concurrently', () => {
  test.each(['drop-after', 'status-504', 'half-body'] as const)(
    'whose answer is lost (%s) is not built twice',
    async (kind) => {
      const fault = arena.dataApi.faults.next({ kind, where: (call) => call.sql?.includes(BUILD) === true });
      const result = await run(one(BUILD), 'first');
      await fault.struck;
      expect(stepsOf(result)).toEqual(['0001_one applied']);
      expect(sent('first', BUILD)).toBe(1);
      expect(await indexes()).toEqual(['n_n', true]);
    },
  );

  test('whose request was lost on its way is sent again once it can arrive no more', async () => {
    arena.dataApi.faults.next({ kind: 'drop-before', where: (call) => call.sql?.includes(BUILD) === true });
    expect(stepsOf(await run(one(BUILD), 'first'))).toEqual(['0001_one applied']);
    expect(await indexes()).toEqual(['n_n', true]);
  });

  test('that outlasts the service’s limit is waited for, and never begun a second time', async () => {
    const blocker = await holdTable();
    const running = run(one(BUILD), 'first');
    await until(AT_WORK('concurrently'));
    while (sent('first', LOOK) < 3) {
      await new Promise<void>((wake) => setImmediate(wake));
    }
    await blocker.query('commit');
    await blocker.end();
    expect(stepsOf(await running)).toEqual(['0001_one applied']);
    expect(sent('first', BUILD)).toBe(1);
    expect(await indexes()).toEqual(['n_n', true]);
  });

  test('that outlasts its run is told as still at work, and the next run waits for it', async () => {
    const blocker = await holdTable();
    const first = await run(one(BUILD), 'first', { timeMs: 30_000 });
    expect(stepsOf(first)).toEqual(['0001_one unknown']);
    expect(first.error?.code).toBe('statement-running');
    const second = run(one(BUILD), 'second');
    await until(`select 1 from forerun.lease where holder = 'second'`);
    await blocker.query('commit');
    await blocker.end();
    expect(stepsOf(await second)).toEqual(['0001_one applied']);
    expect(sent('second', BUILD)).toBe(0);
    expect(await indexes()).toEqual(['n_n', true]);
  });

  test('that was cancelled behind a dead runner’s back is removed and built again', async () => {
    const blocker = await holdTable();
    const child = await arena.runnerProcess();
    const gone = once(child, 'exit');
    child.send({
      endpoint: arena.dataApi.url,
      accessKeyId: `${lane.database}_dead`,
      database: lane.database,
      runId: 'dead',
      seed: 'dead',
      history: 'index',
    });
    await until(AT_WORK('concurrently'));
    child.kill('SIGKILL');
    await gone;
    await blocker.query(
      `select pg_cancel_backend(pid) from pg_stat_activity where query like '/* forerun%concurrently%' and datname = current_database()`,
    );
    await blocker.query('rollback');
    await blocker.end();
    const { HISTORIES } = await import('../campaign/histories.ts');
    const history = HISTORIES.find(({ name }) => name === 'index');
    const result = await run(history?.migrations ?? [], 'heir');
    expect(result.error).toBeNull();
    expect(await indexes()).toEqual(['n_n', true]);
    expect(sent('heir', 'drop index concurrently if exists')).toBe(1);
  });

  test('that fails leaves no unfinished index behind', async () => {
    await lane.direct.query('insert into n values (1), (1)');
    const result = await run(one('create unique index concurrently n_n on n (n)'), 'first');
    expect(stepsOf(result)).toEqual(['0001_one rolled-back']);
    expect(result.error?.place.sqlState).toBe('23505');
    expect(await indexes()).toEqual([]);
    expect(await ledger()).toEqual([]);
  });

  test('is not taken for its own when somebody else has made one of that name', async () => {
    await lane.direct.query('create index n_n on n (n)');
    const result = await run(one(BUILD), 'first');
    expect(result.error?.text.what).toContain('The index public.n_n is there already, and no run');
    expect(await indexes()).toEqual(['n_n', true]);
  });

  test('is seen at work where the service has cut off the comment that names it', async () => {
    const lost = arena.dataApi.faults.next({
      kind: 'drop-before',
      where: (call) => call.sql?.includes(BUILD) === true,
    });
    const first = run(one(BUILD), 'first', { timeMs: 24_000 });
    await lost.struck;
    const blocker = await holdTable();
    const builder = await arena.connect(lane.database);
    const built = builder.query(BUILD);
    expect((await first).error?.code).toBe('statement-running');
    const second = run(one(BUILD), 'second');
    while (sent('second', LOOK) < 10) await new Promise<void>((wake) => setImmediate(wake));
    await blocker.query('commit');
    await built;
    expect(stepsOf(await second)).toEqual(['0001_one applied']);
    expect(sent('second', BUILD) + sent('second', 'drop index')).toBe(0);
    await Promise.all([blocker.end(), builder.end()]);
  });

  test('is seen at work by a role that may not see other roles’ statements', async () => {
    await lane.direct.query(`
      do 'begin if not exists (select from pg_roles where rolname = ''campaign_plain'') then
        create role campaign_plain login password ''${arena.password}''; end if; end';
      grant all on schema public, forerun to campaign_plain;
      grant all on all tables in schema public, forerun to campaign_plain;
      grant all on all sequences in schema forerun to campaign_plain;
      grant connect on database ${lane.database} to campaign_plain`);
    const blocker = await holdTable();
    await run(one(BUILD), 'first', { timeMs: 30_000 });
    const blind = run(one(BUILD), 'blind', { secretArn: arena.plainSecretArn });
    while (sent('blind', LOOK) < 8) {
      await new Promise<void>((wake) => setImmediate(wake));
    }
    await blocker.query('commit');
    await blocker.end();
    expect(stepsOf(await blind)).toEqual(['0001_one applied']);
    expect(sent('blind', BUILD)).toBe(0);
    expect(sent('blind', 'drop index')).toBe(0);
    expect(await indexes()).toEqual(['n_n', true]);
  });
});

const slow = (sql: string): Migration[] => lineOf({ id: '0001_slow', up: [sql], alone: 'long' });

describe('a long statement', () => {
  test('outlasts the service’s limit and takes effect once', async () => {
    const result = await run(slow('insert into n select 1 from pg_sleep(1)'), 'first');
    expect(stepsOf(result)).toEqual(['0001_slow applied']);
    expect(await rows('select n from n')).toEqual([1]);
    expect(sent('first', RECORDED)).toBe(1);
  });

  test('that outlasts its run goes on, holds the lease, and is awaited by the next run', async () => {
    const blocker = await arena.connect(lane.database);
    await blocker.query('begin; lock table word in access exclusive mode');
    const sql = `insert into n select 1 from (select count(*) from word) w`;
    const limits = { lockTimeoutMs: 60_000 };
    const first = await run(slow(sql), 'first', { timeMs: 30_000, limits });
    expect(first.error?.code).toBe('statement-running');
    expect(stepsOf(first)).toEqual(['0001_slow unknown']);
    const second = run(slow(sql), 'second', { limits });
    while (sent('second', 'with bundle as') < 2) await new Promise<void>((wake) => setImmediate(wake));
    await blocker.query('commit');
    await blocker.end();
    expect(stepsOf(await second)).toEqual(['0001_slow applied']);
    expect(sent('second', RECORDED)).toBe(0);
    expect(await rows('select n from n')).toEqual([1]);
  });

  test('without the option is cut off at the limit, and nothing of it stays', async () => {
    const short = lineOf({
      id: '0001_slow',
      up: ['insert into n select 1 from pg_sleep(1)'],
      alone: 'short',
    });
    const result = await run(short, 'first');
    expect(stepsOf(result)).toEqual(['0001_slow rolled-back']);
    expect(result.error?.text.next).toContain('long: true');
    expect(await rows('select n from n')).toEqual([]);
  });

  test('that fails after the service stopped waiting tells its error', async () => {
    const limits = { statementTimeoutMs: 5_050 };
    await lane.direct.query('create unique index n_once on n (n); insert into n values (1)');
    const result = await run(slow('insert into n select 1 from pg_sleep(0.6)'), 'first', { limits });
    expect(stepsOf(result)).toEqual(['0001_slow rolled-back']);
    expect(result.error?.text.what).toContain('(SQLSTATE 23505)');
    expect(result.error?.text.what).toContain('constraint n_once, table n');
    await lane.direct.query('delete from n');
    expect((await run(slow('insert into n select 1 from pg_sleep(0.6)'), 'second', { limits })).outcome).toBe(
      'applied',
    );
    expect(await rows('select n from n')).toEqual([1]);
  });

  test('that somebody cancels does not start again by itself', async () => {
    const limits = { statementTimeoutMs: 5_050 };
    const running = run(slow('insert into n select 1 from pg_sleep(60)'), 'first', { limits });
    await until(`select 1 from forerun.run where id = 'first'`);
    while (sent('first', 'with bundle as') < 2) await new Promise<void>((wake) => setImmediate(wake));
    await lane.direct.query(
      `select pg_cancel_backend(pid) from pg_stat_activity where query like '%run_statement_1%' and pid <> pg_backend_pid() and datname = current_database()`,
    );
    const result = await running;
    expect(result.error?.place.sqlState).toBe('57014');
    expect(stepsOf(result)).toEqual(['0001_slow rolled-back']);
    expect(sent('first', RECORDED)).toBe(1);
  });
});

const loop = (): Migration[] =>
  lineOf({
    id: '0001_loop',
    alone: 'short',
    up: async (session) => {
      const { rows: open } = await session.execute(
        { sql: 'select id from todo where not done order by id' },
        { rows: true },
      );
      for (const { id } of open) {
        const sql = 'update todo set done = true where id = :id';
        await session.execute({ sql, parameters: { id: Number(id) } }, { rows: false });
        if (id === 1) await session.execute({ sql: 'insert into absent values (1)' }, { rows: false });
      }
    },
  });

const reading = (last: readonly string[]): Migration[] =>
  lineOf({
    id: '0001_read',
    alone: 'short',
    up: async (session) => {
      await session.execute({ sql: 'insert into n values (1)' }, { rows: false });
      await session.execute({ sql: 'select n from n' }, { rows: true });
      for (const sql of last) await session.execute({ sql }, { rows: false });
    },
  });

describe('what an edit would make silently wrong', () => {
  test('a statement with other values is not the one that was done', async () => {
    await lane.direct.query(
      `create table todo (id int, done bool default false); insert into todo values (1), (2)`,
    );
    expect(stepsOf(await run(loop(), 'first'))).toEqual(['0001_loop partial']);
    const second = await run(loop(), 'second');
    expect(second.error?.code).toBe('plan-changed');
    expect(await rows('select id from todo where done')).toEqual([1]);
  });

  test('a statement that was left out behind a read is missed', async () => {
    await run(reading(['insert into n values (3)', 'insert into absent values (4)']), 'first');
    const second = await run(reading([]), 'second');
    expect(second.error?.code).toBe('plan-changed');
    expect(await journal()).toEqual([]);
  });

  test('an index that is still being built cannot be left out', async () => {
    const blocker = await holdTable();
    await run(one('insert into word values (1)', BUILD), 'first', { timeMs: 30_000 });
    const second = await run(one('insert into word values (1)'), 'second');
    expect(second.error?.code).toBe('plan-changed');
    await blocker.query('commit');
    await blocker.end();
    expect((await run(one('insert into word values (1)', BUILD), 'third')).outcome).toBe('applied');
  });
});

describe('the ledger', () => {
  test('of thousands of statements is read in portions', async () => {
    const many = Array.from({ length: 2_300 }, (_, at) => `insert into n values (${at})`);
    await lane.direct
      .query(`insert into forerun.statement (history, migration, direction, number, digest, state, run_id)
      select 'default', '0001_one', 'up', at, 'x', 'done', 'first' from generate_series(1, 6000) at`);
    const result = await run(one(...many), 'second');
    expect(result.error?.code).toBe('plan-changed');
    expect(sent('second', `'migration', e.migration`)).toBeGreaterThan(0);
  });

  test('takes nothing for a migration that is claimed, however late it comes', async () => {
    await run(one('insert into n values (1)'), 'first');
    const order = {
      history: 'default',
      migration: '0001_one',
      direction: 'up',
      number: 1,
      digest: 'x',
      run: 'late',
    };
    await lane.direct
      .query(`insert into forerun.run (id, history, action, digest) values ('late', 'default', 'up', 'x');
      update forerun.lease set holder = 'late', token = 77`);
    const { rows: answers } = await lane.direct.query(
      `select forerun.run_statement_1($1, 'insert into n values (2)', '{}') as answer`,
      [
        JSON.stringify({
          ...order,
          token: '77',
          lease: '1 minute',
          lock_timeout: '1s',
          patience: '1 minute',
        }),
      ],
    );
    expect(answers).toEqual([{ answer: { ended: 'fenced' } }]);
    expect(await rows('select n from n')).toEqual([1]);
  });
});

test('a deferred constraint that fails is told, also when nobody waits any more', async () => {
  await lane.direct.query(
    `create table parent (id int primary key); create table child (id int references parent deferrable initially deferred)`,
  );
  const limits = { statementTimeoutMs: 5_050 };
  const result = await run(slow('insert into child select 1 from pg_sleep(0.6)'), 'first', { limits });
  expect(result.error?.place.sqlState).toBe('23503');
  expect(stepsOf(result)).toEqual(['0001_slow rolled-back']);
  expect(sent('first', RECORDED)).toBe(1);
});

test('a build that only shares its table with somebody’s lock may still be on its way', async () => {
  await run(one('create index n_n on n (n)'), 'before');
  const history = [
    ...one('create index n_n on n (n)'),
    ...lineOf({ id: '0002_drop', up: ['drop index concurrently n_n'], alone: 'short' }),
  ].map((member, at) => (at === 1 ? { ...member, after: ['0001_one'] } : member));
  const locker = await arena.connect(lane.database);
  await locker.query('begin; lock table n in share update exclusive mode');
  arena.dataApi.faults.next({
    kind: 'drop-before',
    where: (call) => byRun('first')(call) && call.sql?.includes('drop index') === true,
  });
  const running = run(history, 'first', { limits: { inFlightMs: 4_000 } });
  while (sent('first', LOOK) < 3) await new Promise<void>((wake) => setImmediate(wake));
  await locker.query('rollback');
  await locker.end();
  const looks = sent('first', LOOK);
  while (sent('first', LOOK) < looks + 3) await new Promise<void>((wake) => setImmediate(wake));
  expect(sent('first', 'drop index')).toBe(1);
  expect((await running).outcome).toBe('applied');
});
