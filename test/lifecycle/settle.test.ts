import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Migration } from '../../lambda/engine/migration.ts';
import { DEFAULT_LIMITS } from '../../lambda/engine/limits.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { settle, type Verdict } from '../../lambda/engine/settle.ts';
import { lineOf } from './line-of.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

const OWNER = 'stack/Migrations';

let place: Workplace;
let database: FreshDatabase;

beforeAll(async () => {
  place = await startWorkplace();
});
afterAll(async () => {
  await place.close();
});
beforeEach(async () => {
  database = await place.freshDatabase();
});

/** What the gate has done on a rollback, by a runner that holds this history. */
function settleFor(history: readonly Migration[], askedAtMs: number): Promise<Verdict> {
  const identity = {
    runId: `settle-${askedAtMs}`,
    runKey: null,
    history: 'default',
    action: 'settle' as const,
    deployId: null,
    owner: OWNER,
    digest: 'digest',
    askedAtMs,
  };
  const deadlineMs = Date.now() + 60_000;
  return settle({ identity, history, deadlineMs, limits: DEFAULT_LIMITS }, database.ports(), postgres);
}

/** A promise that a test settles, for stopping a migration at a known place. */
function barrier(): { readonly reached: Promise<void>; reach(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { reached: promise, reach: resolve };
}

test('a forward run between two groups cannot go on after a rollback has settled', async () => {
  const between = barrier();
  const settled = barrier();
  const history = lineOf(
    { id: '0001_one', up: ['create table one (n int)'] },
    { id: '0002_two', up: ['create table two (n int)'] },
  );
  const forward = database.up(history, {
    atomic: 'migration',
    owner: OWNER,
    askedAtMs: 1_000,
    tell(note) {
      if (note.note === 'committed') between.reach();
    },
    beforeBegin: async (nth) => {
      if (nth === 2) await settled.reached;
    },
  });
  await between.reached;
  const verdict = await settleFor([], 2_000);
  settled.reach();
  expect(verdict).toMatchObject({ fenced: true, ahead: ['0001_one'] });
  const result = await forward;
  expect(result.error?.code).toBe('run-overruled');
  expect(result.steps).toEqual([
    { migration: '0001_one', outcome: 'applied' },
    { migration: '0002_two', outcome: 'not-run' },
  ]);
  expect(await database.query(`select to_regclass('two') as two`)).toEqual([{ two: null }]);
});

test('a rollback waits for the transaction that a forward run has open, and sees what it committed', async () => {
  const inside = barrier();
  const goOn = barrier();
  const history = lineOf({
    id: '0001_one',
    up: async (session) => {
      await session.execute({ sql: 'create table one (n int)' }, { rows: false });
      inside.reach();
      await goOn.reached;
    },
  });
  const forward = database.up(history, { owner: OWNER, askedAtMs: 1_000 });
  await inside.reached;
  const settling = settleFor([], 2_000);
  goOn.reach();
  const [verdict, result] = await Promise.all([settling, forward]);
  expect(verdict.fenced).toBe(true);
  // Either the commit came first and the rollback saw it, or the fence came first and nothing stays.
  expect(verdict.ahead).toEqual(result.outcome === 'applied' ? ['0001_one'] : []);
});

test('a forward run that was held back until after the rollback does nothing', async () => {
  await database.up([]);
  await settleFor([], 2_000);
  const result = await database.up(lineOf({ id: '0001_late', up: ['create table late (n int)'] }), {
    owner: OWNER,
    askedAtMs: 1_000,
  });
  expect(result.error?.code).toBe('run-overruled');
  expect(await database.query(`select to_regclass('late') as late`)).toEqual([{ late: null }]);
});

test('a deploy after the rollback works again', async () => {
  await settleFor([], 2_000);
  const result = await database.up(lineOf({ id: '0001_next', up: ['create table next (n int)'] }), {
    owner: OWNER,
    askedAtMs: 3_000,
  });
  expect(result.outcome).toBe('applied');
});

test('another owner of the same history is not overruled', async () => {
  await settleFor([], 2_000);
  const result = await database.up(lineOf({ id: '0001_other', up: ['create table other (n int)'] }), {
    owner: 'another/Migrations',
    askedAtMs: 1_000,
  });
  expect(result.outcome).toBe('applied');
});

test('the verdict names what the database has and lacks, and whether the release works with it', async () => {
  const [first, compatible, silent] = lineOf(
    { id: '0001_a', up: [] },
    { id: '0002_b', up: [] },
    { id: '0003_c', up: [] },
  );
  if (first === undefined || compatible === undefined || silent === undefined) return;
  await database.up([first, { ...compatible, compatible: true }]);
  expect(await settleFor([first], 1_000)).toMatchObject({
    ahead: ['0002_b'],
    pending: [],
    compatible: 'yes',
  });
  const sibling = { ...silent, after: ['0001_a'] };
  expect(await settleFor([first, sibling], 2_000)).toMatchObject({
    ahead: ['0002_b'],
    pending: ['0003_c'],
    compatible: 'unknown',
  });
  await database.up([first, { ...compatible, compatible: true }, silent]);
  expect(await settleFor([first], 3_000)).toMatchObject({
    ahead: ['0002_b', '0003_c'],
    compatible: 'unknown',
  });
});

test('a rollback to a release that does not know the journal writes nothing into it', async () => {
  await database.up([]);
  await database.query(
    `delete from forerun.run; insert into forerun.run (id, history, action, owner, digest) values ('newer', 'default', 'up', '${OWNER}', 'd')`,
  );
  await database.query('insert into forerun.installation (version) values (99)');
  expect(await settleFor([], 2_000)).toMatchObject({ fenced: false, ahead: null });
  expect(await database.query('select id, finished_at from forerun.run')).toEqual([
    { id: 'newer', finished_at: null },
  ]);
});
