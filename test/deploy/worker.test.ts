import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import { module, openStage, openTheatre, STACK, type Stage } from './stage.ts';

let postgres: LocalPostgres;
let stage: Stage;
let folder: string;
/** Called with each invocation of the worker, before it works. */
let onWorker: () => void | Promise<void>;

beforeAll(async () => {
  postgres = await openTheatre();
});
afterAll(async () => {
  await postgres.stop();
});
beforeEach(async () => {
  onWorker = () => undefined;
  folder = mkdtempSync(join(tmpdir(), 'forerun-worker-'));
  stage = await openStage(postgres, {
    async onInvoke({ functionName }) {
      if (functionName.includes('Worker')) await onWorker();
    },
  });
});
afterEach(async () => {
  await stage.close();
  rmSync(folder, { recursive: true, force: true });
});

const fill = `insert into note select g, null from generate_series(1, 60) g`;
const first = { '0001_note.ts': module('base', ['create table note (id bigint primary key, n int)', fill]) };
const nullable = { '0001_note.ts': module('base', ['create table note (id bigint unique, n int)', fill]) };

const count = (also = ''): string => `
import { backfill, bigint, integer, sql, table } from 'forerun';
export default backfill({
  after: '0001_note',
  table: table('note', { id: bigint(), n: integer().nullable() }),
  key: 'id',
  where: sql\`n is null\`,
  set: { n: sql\`id % 7\` },
  down: 'nothing to undo',
  ${also}
});
`;

const LAZY = 'pauseMs: 1_500, batchRows: 40,';

/** The same, from a worker that is killed the first time it computes something. */
const mortal = (marker: string): string => `
import { existsSync, writeFileSync } from 'node:fs';
import { backfill, bigint, integer, sql, table } from 'forerun';
function dieOnce() {
  if (!String(process.env.AWS_LAMBDA_FUNCTION_NAME).includes('Worker') || existsSync(${JSON.stringify(marker)})) return;
  writeFileSync(${JSON.stringify(marker)}, '');
  process.kill(process.pid, 'SIGKILL');
}
export default backfill({
  after: '0001_note',
  table: table('note', { id: bigint(), n: integer().nullable() }),
  key: 'id',
  where: sql\`n is null\`,
  transform: ({ id }) => {
    dieOnce();
    return { n: Number(id % 7n) };
  },
  down: 'nothing to undo',
  hold: true,
  ${LAZY}
});
`;

const counted = () => stage.rows('select count(*)::int as n from note where n = id % 7');
/** The runner's own call is over before it could rest between two batches. */
const hurried = { runnerSeconds: 36, props: { timeout: Duration.minutes(12) } };

describe('what outlasts a call of the runner', () => {
  test('a backfill that a person lets go on is worked on by one execution of the worker, to its end', async () => {
    const deployed = await stage.deploy('r1', { ...nullable, '0002_count.ts': count() });
    expect(deployed.status).toBe('CREATE_COMPLETE');
    expect(await stage.rows('select state from forerun.backfill')).toEqual([{ state: 'failed' }]);
    expect(await stage.executions()).toEqual([]);
    await stage.rows('alter table note alter column id set not null');
    const answer = await stage.invoke({ action: 'retry', backfill: '0002_count' });
    expect(answer.ok).toBe(true);
    await vi.waitFor(
      async () => expect(await stage.executions()).toMatchObject([{ status: 'SUCCEEDED' }]),
      60_000,
    );
    expect(await counted()).toEqual([{ n: 60 }]);
    expect(await stage.rows('select state from forerun.backfill')).toEqual([{ state: 'succeeded' }]);
    const [execution] = await stage.executions();
    expect(execution?.name).toMatch(/^0002_count-[0-9a-f]{16}$/);
    expect(stage.workerLog()).toContain('"BackfillRows":60');
  });

  test('a deploy is held while the worker finishes what it waits for, and only then the app goes live', async () => {
    const deployed = await stage.deploy(
      'r1',
      { ...first, '0002_count.ts': count(`hold: true, ${LAZY}`) },
      {},
      hurried,
    );
    expect(deployed.reason).toBeUndefined();
    expect(await counted()).toEqual([{ n: 60 }]);
    expect(stage.attributes()).toMatchObject({ Head: '0002_count', Applied: '2' });
    expect(await stage.executions()).toMatchObject([{ status: 'SUCCEEDED' }]);
    expect(await stage.rows('select state from forerun.backfill')).toEqual([{ state: 'succeeded' }]);
  });

  test('a worker that dies is called again, goes on where it was, and each row is changed once', async () => {
    let calls = 0;
    onWorker = async () => {
      calls += 1;
      // The dead worker's leases end by themselves after a minute; here that minute is over.
      if (existsSync(join(folder, 'died'))) await stage.rows(`update forerun.lease set expires_at = now()`);
    };
    const audit = [
      'create table change (id bigint)',
      `create function told() returns trigger language plpgsql as $$ begin insert into change values (new.id); return new; end $$`,
      'create trigger told after update on note for each row execute function told()',
    ];
    const deployed = await stage.deploy(
      'r1',
      {
        '0001_note.ts': module('base', ['create table note (id bigint primary key, n int)', fill, ...audit]),
        '0002_count.ts': mortal(join(folder, 'died')),
      },
      {},
      hurried,
    );
    expect(deployed.reason).toBeUndefined();
    expect(calls).toBeGreaterThan(1);
    expect(existsSync(join(folder, 'died'))).toBe(true);
    expect(await stage.rows('select count(*)::int as n, count(distinct id)::int as ids from change')).toEqual(
      [{ n: 60, ids: 60 }],
    );
  });

  test('a deploy that is cancelled while its worker works comes home, and the worker is stopped', async () => {
    await stage.deploy('r1', first, {}, hurried);
    const begun = Promise.withResolvers<void>();
    onWorker = () => {
      begun.resolve();
    };
    const second = { ...first, '0002_count.ts': count('hold: true, pauseMs: 600_000,') };
    const deploying = stage.deploy('r2', second, {}, hurried);
    await begun.promise;
    stage.rehearsal.cloudFormation.interrupt(STACK);
    expect((await deploying).status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stage.attributes()).toMatchObject({ Head: '0001_note' });
    expect(await stage.rows(`select state from forerun.backfill`)).toEqual([{ state: 'running' }]);
    // Its leases end by themselves after a minute; here that minute is over.
    await stage.rows(`update forerun.lease set expires_at = now() where name like 'backfill:%'`);
    await stage.invoke({ action: 'tune', backfill: '0002_count', pauseMs: 0 });
    const next = await stage.deploy('r3', second, {}, hurried);
    expect(next.reason).toBeUndefined();
    expect(await counted()).toEqual([{ n: 60 }]);
  });
});
