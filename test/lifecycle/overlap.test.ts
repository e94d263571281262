import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunResult } from '../../lambda/engine/outcome.ts';
import { startArena, type Arena } from '../campaign/arena.ts';
import { runEngine } from '../campaign/engine-run.ts';
import { HISTORIES, type CampaignHistory } from '../campaign/histories.ts';
import { openLane, type Lane } from '../campaign/lane.ts';
import { takeSnapshot } from '../campaign/snapshot.ts';

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
});
afterEach(async () => {
  await lane.close();
});

function campaignHistory(wanted: string): CampaignHistory {
  const found = HISTORIES.find(({ name }) => name === wanted);
  if (found === undefined) throw new NoSuchHistory(wanted);
  return found;
}

class NoSuchHistory extends Error {
  override readonly name = 'NoSuchHistory';
}

const taskFor = (runId: string) => ({
  endpoint: arena.dataApi.url,
  accessKeyId: `${lane.database}_${runId}`,
  database: lane.database,
  runId,
  seed: runId,
});

const run = (history: Pick<CampaignHistory, 'migrations' | 'goal'>, runId: string): Promise<RunResult> =>
  runEngine(history, taskFor(runId));

async function calmly(history: CampaignHistory): Promise<string> {
  await lane.prepare(history, history.starts[0] ?? 'empty');
  await run(history, 'calm');
  return (await takeSnapshot(lane.direct)).text;
}

describe('runners that meet', () => {
  test.each([2, 8])(
    '%i at once on an empty database: each migration is applied by one of them',
    async (count) => {
      const history = campaignHistory('mixed-each-alone');
      const calm = await calmly(history);
      await lane.prepare(history, 'empty');
      const results = await Promise.all(
        Array.from({ length: count }, (_, number) => run(history, `twin-${number}`)),
      );
      expect(results.map(({ outcome }) => outcome)).toEqual(Array.from({ length: count }, () => 'applied'));
      const applied = results.flatMap(({ steps }) => steps.filter(({ outcome }) => outcome === 'applied'));
      expect(applied.map(({ migration }) => migration).sort()).toEqual(
        history.migrations.map(({ id }) => id),
      );
      expect((await takeSnapshot(lane.direct)).text).toBe(calm);
    },
  );

  test('up against down: one after the other, and the database is what the journal says', async () => {
    const history = campaignHistory('down');
    await lane.prepare(history, 'head');
    const up = { ...history, goal: { direction: 'up', to: 'head', atomic: 'migration' } as const };
    const down = { ...history, goal: { ...history.goal, atomic: 'migration' } as const };
    await Promise.all([run(down, 'down-1'), run(up, 'up-1'), run(down, 'down-2'), run(up, 'up-2')]);
    const rows = (await lane.direct.query<{ id: string }>('select id from forerun.migration order by id'))
      .rows;
    const ids = rows.map(({ id }) => id);
    expect(history.migrations.map(({ id }) => id).slice(0, ids.length)).toEqual(ids);
    const columns = (
      await lane.direct.query(
        `select 1 from pg_attribute where attrelid = 'ledger'::regclass and attname = 'label' and not attisdropped`,
      )
    ).rows.length;
    expect(columns).toBe(ids.includes('0003_more') ? 1 : 0);
    const events = (
      await lane.direct.query<{ kind: string; migration: string }>(
        'select kind, migration from forerun.event where migration is not null order by id',
      )
    ).rows;
    for (const { id } of history.migrations) {
      const kinds = events.filter(({ migration }) => migration === id).map(({ kind }) => kind);
      expect(kinds).toEqual(kinds.map((_, at) => (at % 2 === 0 ? 'applied' : 'reverted')));
      expect(kinds.at(-1) === 'applied').toBe(ids.includes(id));
    }
  });
});

/** Stops a real process at a call, lets another run come to its end, and wakes the process up again. */
async function freezeAt(history: CampaignHistory, call: number) {
  const child = await arena.runnerProcess();
  const frozen = taskFor('frozen');
  const held = arena.dataApi.faults.next({
    kind: 'hold-after',
    nth: call,
    where: ({ accessKeyId }) => accessKeyId === frozen.accessKeyId,
  });
  const answer = once(child, 'message') as Promise<[RunResult]>;
  child.send({ ...frozen, history: history.name });
  await held.struck;
  child.kill('SIGSTOP');
  held.release();
  const other = await run(history, 'other');
  const journal = (await takeSnapshot(lane.direct)).text;
  child.kill('SIGCONT');
  const [woken] = await answer;
  return { other, woken, journal };
}

describe('a frozen runner', () => {
  test.each([
    ['inside a transaction', 'doubling', 5],
    ['right before its commit', 'doubling', 8],
    ['between two transactions', 'mixed-each-alone', 7],
  ])('%s cannot commit after another run took over', async (_place, name, call) => {
    const history = campaignHistory(name);
    const calm = await calmly({ ...history, starts: ['installed'] });
    await lane.prepare(history, 'installed');
    const { other, woken, journal } = await freezeAt(history, call);
    expect(other.outcome).toBe('applied');
    expect(journal).toBe(calm);
    expect((await takeSnapshot(lane.direct)).text).toBe(calm);
    expect(woken.steps.some(({ outcome }) => outcome === 'unknown')).toBe(false);
    expect(woken.outcome === 'applied' || woken.error !== null).toBe(true);
  });
});
