import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../lambda/engine/limits.ts';
import type { WorkerTask } from './backfill-process.ts';
import { KILLED, KILLED_HISTORIES } from './killed-history.ts';
import { CLUSTER, SECRET, startWorkplace, type Workplace } from './workplace.ts';

let place: Workplace;
const children: ChildProcess[] = [];
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

const limits = { ...DEFAULT_LIMITS, leaseMs: 2_000, idleTimeoutMs: 1_000 };

async function launch(): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('backfill-process.ts', import.meta.url)), [], { execArgv: [] });
  children.push(child);
  await once(child, 'message');
  return child;
}

test.each([
  ['set', 'marked as'],
  ['batch', 'update thing'],
] as const)(
  'a worker killed in the middle of a batch of the form %s is replaced when its lease has run out, and its batch counts once or not at all',
  async (form, inside) => {
    const database = await place.freshDatabase();
    await database.up(KILLED_HISTORIES[form]);
    // With a pause the victim is not done before the other one has a range of its own.
    await database.query('update forerun.backfill set most_rows = 4, parallel = 1, pause_ms = 300');
    const task = (worker: string): WorkerTask => ({
      form,
      worker,
      limits,
      endpoint: place.dataApi.url,
      accessKeyId: `${database.name}_${worker}`,
      target: { clusterArn: CLUSTER, secretArn: SECRET, database: database.name, history: 'default' },
    });
    const [victim, survivor] = [await launch(), await launch()];
    const gone = once(victim, 'exit');
    victim.send(task('victim'));
    // Its only range; the other worker then splits it.
    await once(victim, 'message');
    await database.query('update forerun.backfill set parallel = 2');
    const byOther: { readonly range: number; readonly atMs: number }[] = [];
    const done = new Promise<void>((resolve) => {
      survivor.on('message', (message) => {
        if (message === 'done') resolve();
        else byOther.push({ ...(message as { range: number }), atMs: Date.now() });
      });
    });
    survivor.send(task('survivor'));
    await once(survivor, 'message');
    const held = place.dataApi.faults.next({
      kind: 'hold-before',
      where: ({ accessKeyId, sql }) =>
        accessKeyId === task('victim').accessKeyId && sql?.includes(inside) === true,
    });
    await held.struck;
    await database.query('update forerun.backfill set pause_ms = 0');
    victim.kill('SIGKILL');
    const killedMs = Date.now();
    await gone;
    const [lease] = await database.query(
      `select split_part(name, ':', 3)::int as range, extract(epoch from expires_at) * 1000 as ends_ms
       from forerun.lease where holder = 'victim/1'`,
    );
    const range = lease?.['range'];
    const endsMs = Number(lease?.['ends_ms']);
    await done;
    expect(endsMs).toBeLessThanOrEqual(killedMs + limits.leaseMs);
    const first = byOther.findIndex((one) => one.range === range);
    expect(byOther[first]?.atMs).toBeGreaterThanOrEqual(endsMs);
    // From the end of the lease on the other worker begins no other range before this one.
    const between = byOther.slice(0, first).filter(({ atMs }) => atMs > endsMs);
    expect(new Set(between.map((one) => one.range)).size).toBeLessThanOrEqual(1);
    // What the dead worker had sent comes to nothing, however late it arrives.
    held.release();
    while (!place.dataApi.calls().some(({ fault }) => fault === 'hold-before')) {
      await new Promise<void>((wake) => setImmediate(wake));
    }
    expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
      { n: 1, rows: 200 },
    ]);
    expect(await database.query('select id, state from forerun.backfill')).toEqual([
      { id: KILLED, state: 'succeeded' },
    ]);
  },
  90_000,
);
