import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { realClock } from '../../lambda/clock.ts';
import { DEFAULT_LIMITS, RESERVE_MS } from '../../lambda/engine/limits.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { lineOf, startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let workplace: Workplace;
let database: FreshDatabase;

beforeAll(async () => {
  workplace = await startWorkplace();
});
afterAll(async () => {
  await workplace.close();
});
beforeEach(async () => {
  database = await workplace.freshDatabase();
});
afterEach(() => {
  workplace.dataApi.faults.clear();
});

const NOTE = `insert into seen select current_setting('lock_timeout'), current_setting('statement_timeout')`;

describe('time limits inside a transaction', () => {
  test('a migration’s own lock timeout holds for its statements, and for no others of its group', async () => {
    const history = lineOf(
      { id: '0001_a', up: ['create table seen (locks text, statements text)', NOTE] },
      { id: '0002_b', up: [NOTE, NOTE], lockTimeoutMs: 1_500 },
      { id: '0003_c', up: [NOTE] },
    );
    expect((await database.up(history)).outcome).toBe('applied');
    const rows = await database.query('select locks from seen');
    expect(rows.map(({ locks }) => locks)).toEqual(['5s', '1500ms', '1500ms', '5s']);
  });

  test('the first migration’s lock timeout costs no call', async () => {
    const other = await workplace.freshDatabase();
    const member = { id: '0001_a', up: ['create table seen (locks text, statements text)', NOTE] };
    const plain = await database.up(lineOf(member));
    const own = await other.up(lineOf({ ...member, lockTimeoutMs: 1_500 }));
    expect(own.dataApiCalls).toBe(plain.dataApiCalls);
    expect(await other.query('select locks from seen')).toEqual([{ locks: '1500ms' }]);
  });

  test('a lock that is not got in the migration’s own time is tried again as a whole', async () => {
    await database.up(lineOf({ id: '0001_a', up: ['create table t (n int)'] }));
    const history = lineOf(
      { id: '0001_a', up: [] },
      { id: '0002_b', up: ['insert into t values (1)', 'alter table t add column m int'], lockTimeoutMs: 50 },
    );
    const holder = await database.connect();
    await holder.query('begin; select n from t');
    const waits: string[] = [];
    let released: Promise<unknown> | undefined;
    const run = database.up(history, {
      tell: (note) => {
        if (note.note === 'rolled-back') waits.push(note.reason);
        if (waits.length === 2) released ??= holder.query('rollback');
      },
    });
    expect((await run).outcome).toBe('applied');
    expect(waits.length).toBeGreaterThanOrEqual(2);
    expect(waits[0]).toContain('lock timeout');
    expect(await database.query('select n from t')).toEqual([{ n: 1 }]);
    await released;
    await holder.end();
  });

  test('near the deadline a statement may take no longer than what is left', async () => {
    const history = lineOf({
      id: '0001_a',
      up: ['create table seen (locks text, statements text)', NOTE, NOTE],
    });
    const timeMs = RESERVE_MS * 2 + 11_000;
    let skippedMs = 0;
    // The second statement comes when seven seconds more have passed.
    const clock = { ...realClock, now: () => Date.now() + skippedMs };
    const result = await database.up(history, {
      timeMs,
      clock,
      tell: (note) => {
        if (note.note === 'statement' && note.statement === 2) skippedMs = 7_000;
      },
    });
    expect(result.error).toBeNull();
    const allowed = (await database.query('select statements from seen')).map(({ statements }) =>
      Number.parseInt(String(statements).replace(/(\d+)s$/, '$1000'), 10),
    );
    expect(allowed[0]).toBeGreaterThan(15_000);
    expect(allowed[1]).toBeLessThan(14_100);
    expect(allowed[1]).toBeLessThan(DEFAULT_LIMITS.statementTimeoutMs);
  });
});

describe('a migration that does not come to its end', () => {
  test('is given up when the time is over; nothing of its group stays', async () => {
    const history = lineOf(
      { id: '0001_a', up: ['create table t (n int)'] },
      {
        id: '0002_b',
        up: async (session) => {
          await session.execute({ sql: 'insert into t values (1)' }, { rows: false });
          await new Promise(() => undefined);
        },
      },
    );
    const result = await database.up(history, { timeMs: 2 * RESERVE_MS + 3_000, clock: fastClock() });
    expect(result.error).toMatchObject({
      code: 'out-of-time',
      place: { migration: '0002_b' },
      text: {
        state: 'Nothing of it stays: it was rolled back together with its group (0001_a, 0002_b).',
      },
    });
    expect(result.error?.text.next).toContain("atomic: 'migration'");
    expect(result.steps.map(({ outcome }) => outcome)).toEqual(['rolled-back', 'rolled-back']);
    expect(await database.query(`select to_regclass('t')::text as t`)).toEqual([{ t: null }]);
  });
});
