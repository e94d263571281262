import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../lambda/engine/limits.ts';
import type { Migration } from '../../lambda/engine/migration.ts';
import type { RunResult } from '../../lambda/engine/outcome.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { revert } from '../../lambda/engine/revert.ts';
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

/** What the gate asks for when a rolled-back deploy, that began at `sinceMs`, is cleaned up. */
async function revertDeploy(
  history: readonly Migration[],
  { sinceMs = 2_000, owners = [OWNER], everything = false, timeMs = 60_000 } = {},
): Promise<RunResult> {
  const identity = {
    runId: `revert-${Math.random()}`,
    runKey: null,
    history: 'default',
    deployId: null,
    owner: 'stack/Undo',
    digest: 'digest',
    askedAtMs: 9_000,
  };
  const request = {
    identity,
    history,
    owners,
    sinceMs,
    everything,
    deadlineMs: Date.now() + timeMs,
    limits: DEFAULT_LIMITS,
  };
  const result = await revert(request, database.ports(), postgres);
  if (result === 'overtaken') throw new Overtaken();
  return result;
}

class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

const table = (id: string) => ({
  id,
  up: [`create table t${id} (n int)`],
  down: [`drop table t${id}`],
});

const applied = async (): Promise<readonly unknown[]> =>
  (await database.query('select id from forerun.migration order by id')).map(({ id }) => id);

const one = lineOf(table('0001'));
const three = lineOf(table('0001'), table('0002'), table('0003'));

test('takes back what the deploy applied, newest first, and nothing older', async () => {
  await database.up(one, { owner: OWNER, askedAtMs: 1_000 });
  await database.up(three, { owner: OWNER, askedAtMs: 2_000 });
  const result = await revertDeploy(three);
  expect(result).toMatchObject({
    outcome: 'applied',
    steps: [
      { migration: '0003', outcome: 'applied' },
      { migration: '0002', outcome: 'applied' },
    ],
  });
  expect(await applied()).toEqual(['0001']);
  expect(
    await database.query(`select to_regclass('t0002') as two, to_regclass('t0001')::text as one`),
  ).toEqual([{ two: null, one: 't0001' }]);
});

test('takes back both phases of a deploy, and leaves alone what a person applied', async () => {
  await database.up(one, { owner: OWNER, askedAtMs: 2_000 });
  await database.up(three, { to: '0002', owner: 'stack/After', askedAtMs: 2_001 });
  const result = await revertDeploy(three, { owners: [OWNER, 'stack/After'] });
  expect(result.steps.map(({ migration }) => migration)).toEqual(['0002', '0001']);
  await database.up(three);
  expect((await revertDeploy(three, { owners: [OWNER, 'stack/After'] })).steps).toEqual([]);
  expect(await applied()).toEqual(['0001', '0002', '0003']);
});

test('with nothing applied by the deploy does nothing', async () => {
  await database.up(three, { owner: OWNER, askedAtMs: 1_000 });
  expect(await revertDeploy(three)).toMatchObject({ outcome: 'applied', steps: [] });
  expect(await applied()).toEqual(['0001', '0002', '0003']);
});

test.each([
  [
    'one has no way back',
    'plan-irreversible',
    lineOf(table('0001'), { id: '0002', up: ['create table two (n int)'] }, table('0003')),
  ],
  [
    'the ways back would not commit together',
    'plan-not-together',
    lineOf(table('0001'), { ...table('0002'), own: true }, table('0003')),
  ],
  [
    'one goes back without a transaction',
    'plan-not-together',
    lineOf(table('0001'), { ...table('0002'), alone: 'short' as const }),
  ],
])('takes back nothing at all where %s', async (_case, code, history) => {
  await database.up(one, { owner: OWNER, askedAtMs: 1_000 });
  await database.up(history, { owner: OWNER, askedAtMs: 2_000 });
  const before = await applied();
  expect((await revertDeploy(history)).error?.code).toBe(code);
  expect(await applied()).toEqual(before);
});

test('takes back nothing at all when one way back fails', async () => {
  const broken = lineOf(table('0001'), { ...table('0002'), down: ['drop table nowhere'] }, table('0003'));
  await database.up(broken, { owner: OWNER, askedAtMs: 2_000 });
  const result = await revertDeploy(broken);
  expect(result).toMatchObject({ outcome: 'rolled-back', error: { code: 'migration-failed' } });
  expect(await applied()).toEqual(['0001', '0002', '0003']);
  expect(await database.query(`select to_regclass('t0003')::text as three`)).toEqual([{ three: 't0003' }]);
});

test('takes back nothing that a later migration stands on', async () => {
  await database.up(three, { to: '0002', owner: OWNER, askedAtMs: 2_000 });
  await database.up(three);
  expect((await revertDeploy(three)).error?.code).toBe('plan-not-together');
  expect(await applied()).toEqual(['0001', '0002', '0003']);
});

test('ends a forward run that still works, and takes back what it had committed', async () => {
  const between = Promise.withResolvers<void>();
  const reverted = Promise.withResolvers<void>();
  const forward = database.up(three, {
    atomic: 'migration',
    owner: OWNER,
    askedAtMs: 2_000,
    beforeBegin: async (nth) => {
      if (nth !== 2) return;
      between.resolve();
      await reverted.promise;
    },
  });
  await between.promise;
  const result = await revertDeploy(three);
  reverted.resolve();
  expect(result.steps).toEqual([{ migration: '0001', outcome: 'applied' }]);
  expect((await forward).error?.code).toBe('run-overruled');
  expect(await applied()).toEqual([]);
});

test('everything goes only where the asking stack was the last to migrate', async () => {
  await database.up(one, { owner: 'other/Migrations', askedAtMs: 1_000 });
  await database.up(three, { to: '0002', owner: OWNER, askedAtMs: 2_000 });
  await database.up(three, { owner: 'other/Migrations', askedAtMs: 3_000 });
  expect((await revertDeploy(three, { everything: true })).steps).toEqual([]);
  const theirs = await revertDeploy(three, { everything: true, owners: ['other/Renamed'] });
  expect(theirs.steps.map(({ migration }) => migration)).toEqual(['0003', '0002', '0001']);
  expect(await applied()).toEqual([]);
});
