import { LocalDurableTestRunner, WaitingOperationStatus } from '@aws/durable-execution-sdk-js-testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { backfill } from '../../lambda/authoring/backfill.ts';
import { bigint, integer } from '../../lambda/authoring/column-types.ts';
import { irreversible } from '../../lambda/authoring/irreversible.ts';
import { migration } from '../../lambda/authoring/migration.ts';
import { sql } from '../../lambda/authoring/sql.ts';
import { table } from '../../lambda/authoring/table.ts';
import type { WorkerTask } from '../../lambda/contract.ts';
import { createWorker } from '../../lambda/worker.ts';
import { bundleOf, startRunnerPlace, type Definitions, type RunnerPlace } from './runner-place.ts';

let place: RunnerPlace;

beforeAll(async () => {
  await LocalDurableTestRunner.setupTestEnvironment({ skipTime: false });
  place = await startRunnerPlace();
});
afterAll(async () => {
  await place.close();
  await LocalDurableTestRunner.teardownTestEnvironment();
});
beforeEach(async () => {
  await place.freshDatabase();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const create = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table thing (id bigint unique, n int, times int not null default 0)');
    await op.execute('insert into thing select g, null from generate_series(1, 900) g');
  },
  down: irreversible('a test'),
});
const thing = table('thing', { id: bigint(), n: integer().nullable(), times: integer() });
const fill = backfill({
  after: '0001_thing',
  table: thing,
  key: 'id',
  where: sql`n is null`,
  set: { n: sql`id % 7`, times: sql`times + 1` },
  parallel: 3,
  pauseMs: 0,
  down: 'nothing to undo',
});
const history = { '0001_thing': create, '0002_fill': fill };
const BACKFILL = '0002_fill';

/** One execution of the worker, on the runner of durable functions that AWS ships for tests. */
function execute(definitions: Definitions, task: WorkerTask) {
  const runner = new LocalDurableTestRunner({ handlerFunction: createWorker(bundleOf(definitions)) });
  return { runner, ended: runner.run({ payload: task }) };
}

const backfillTask = (): WorkerTask => ({
  task: 'backfill',
  backfill: BACKFILL,
  target: place.target(),
  runner: 'runner',
  link: 1,
});

/** A backfill that is open and that nobody has worked on: its key was not fit for it before. */
async function openBackfill(): Promise<void> {
  await place.ask(history, { action: 'up' });
  await place.rows('alter table thing alter column id set not null');
  await place.ask(history, { action: 'retry', backfill: BACKFILL });
  expect(await place.rows('select state from forerun.backfill')).toEqual(['enqueued']);
}

const onceEach = () =>
  place.rows('select count(*) filter (where times = 1)::int, max(times), count(n)::int from thing');

describe('the worker on the test runner of durable functions', () => {
  test('works on the ranges of a backfill in as many branches as it says, each row once', async () => {
    await openBackfill();
    const { runner, ended } = execute(history, backfillTask());
    const result = await ended;
    expect(result.getStatus()).toBe('SUCCEEDED');
    expect(result.getResult()).toMatchObject({ state: 'succeeded', refused: null });
    expect(runner.getOperation('slice 1').getChildOperations()).toHaveLength(3);
    expect(await onceEach()).toEqual([900, 1, 900]);
  });

  test('waits between two slices as long as the pause between two batches has left', async () => {
    await openBackfill();
    const hour = { mostRows: 20, pauseMs: 3_600_000, parallel: 1 };
    await place.ask(history, { action: 'tune', backfill: BACKFILL, ...hour });
    const { runner } = execute(history, backfillTask());
    const wait = runner.getOperation('before slice 2');
    await wait.waitForData(WaitingOperationStatus.STARTED);
    expect(wait.getWaitDetails()?.waitSeconds).toBe(3_600);
    expect(await onceEach()).toEqual([20, 1, 20]);
  });

  test('leaves a backfill alone that a person holds back, and one that is done', async () => {
    await openBackfill();
    await place.ask(history, { action: 'pause', backfill: BACKFILL });
    expect((await execute(history, backfillTask()).ended).getResult()).toMatchObject({ state: 'paused' });
    expect(await onceEach()).toEqual([0, 0, 0]);
    await place.ask(history, { action: 'resume', backfill: BACKFILL });
    await execute(history, backfillTask()).ended;
    expect((await execute(history, backfillTask()).ended).getResult()).toMatchObject({ state: 'succeeded' });
    expect(await onceEach()).toEqual([900, 1, 900]);
  });

  test('ends with a reason where it has no such backfill', async () => {
    await openBackfill();
    const { ended } = execute({ '0001_thing': create }, backfillTask());
    expect((await ended).getResult()).toMatchObject({
      refused: expect.stringContaining('This release has no backfill "0002_fill"'),
    });
    expect(await onceEach()).toEqual([0, 0, 0]);
  });

  test('goes on with a deploy, and tells of all that it has committed, as if one run had done it', async () => {
    const { ended } = execute(history, {
      task: 'up',
      runner: 'runner',
      applied: [{ migration: '0000_before', outcome: 'applied' }],
      ask: {
        action: 'up',
        atomic: 'group',
        yieldToOwnRun: false,
        target: place.target(),
        deploy: {
          deployId: 'r1',
          digest: 'digest',
          owner: 'stack/Migrations',
          runKey: 'request/stack/Migrations/worker',
          deadlineMs: Date.now() + 600_000,
          askedAtMs: Date.now(),
        },
      },
    });
    expect((await ended).getResult()).toMatchObject({
      ok: true,
      result: {
        outcome: 'applied',
        steps: ['0000_before', '0001_thing', '0002_fill'].map((id) => ({
          migration: id,
          outcome: 'applied',
        })),
      },
    });
    expect(await place.rows(`select key from forerun.run where key is not null`)).toEqual([
      'request/stack/Migrations/worker/1',
    ]);
  });
});
