import { once } from 'node:events';
import type { Client } from 'pg';
import type { RunResult } from '../../lambda/engine/outcome.ts';
import type { Arena } from './arena.ts';
import { chanceOf } from './chance.ts';
import { impatientClient } from './client.ts';
import { runEngine, type EngineTask } from './engine-run.ts';
import type { CampaignHistory } from './histories.ts';
import type { Lane } from './lane.ts';
import { DELAY_MS, isServiceFault, nameOf, type Point, type Strike } from './points.ts';
import { takeSnapshot, type Snapshot } from './snapshot.ts';

/** How a point ended. `lied`: a run said of a migration what was not so. */
export type Ending = 'survived' | 'doubled' | 'lost' | 'stuck' | 'lied';

export interface Verdict {
  readonly point: Point;
  readonly ending: Ending;
  /** Why it did not survive; empty otherwise. */
  readonly why: string;
  /** False when the run was over before the call that was to be struck. */
  readonly struck: boolean;
}

/** What a point is measured against. */
export interface Calm {
  readonly snapshot: Snapshot;
  readonly calls: number;
}

/** A run that is not done after so many attempts is stuck. */
const MOST_RUNS = 8;

/** Strikes one run, runs again until it is done, and compares the whole database with the calm run's. */
export async function tryPoint(
  point: Point,
  history: CampaignHistory,
  calm: Calm,
  arena: Arena,
  lane: Lane,
  seed: number,
): Promise<Verdict> {
  await lane.prepare(history, point.start);
  const { database, direct } = lane;
  const place = { endpoint: arena.dataApi.url, accessKeyId: lane.nextCaller() };
  const task = (attempt: number): EngineTask => ({
    ...place,
    database,
    runId: `run-${attempt}`,
    seed: `${seed} ${nameOf(point)}`,
  });
  const attack = await startAttack(point, history, task(1), arena, seed);
  if (attack.lie === '' && attack.result !== null) attack.lie = await lieIn(attack.result, history, direct);
  let done = attack.result?.outcome === 'applied';
  let last = attack.result;
  for (let attempt = 2; attempt <= MOST_RUNS && !done; attempt += 1) {
    last = await runEngine(history, task(attempt));
    done = last.outcome === 'applied';
    if (attack.lie === '') attack.lie = await lieIn(last, history, direct);
  }
  const struck = await attack.end();
  // Nothing may be left that keeps the next deploy from finding all in order.
  const after = await runEngine(history, task(MOST_RUNS + 1));
  const stuck = !done || after.outcome !== 'applied' || after.steps.length > 0;
  const snapshot = await takeSnapshot(direct);
  const ending = endingOf({ stuck, lied: attack.lie !== '', snapshot, calm: calm.snapshot });
  return {
    point,
    struck,
    ending,
    why:
      whyOf(ending, attack.lie, stuck ? (after.error === null ? last : after) : null) +
      differenceOf(snapshot, calm.snapshot),
  };
}

interface Attack {
  /** Null when its process died. */
  readonly result: RunResult | null;
  lie: string;
  /** Lets go what is still held back, waits for its end, and tells whether all strikes met their calls. */
  end(): Promise<boolean>;
}

async function startAttack(
  point: Point,
  history: CampaignHistory,
  task: EngineTask,
  arena: Arena,
  seed: number,
): Promise<Attack> {
  const [only] = point.strikes;
  if (only === undefined || isServiceFault(only.blow)) return strikeService(point, history, task, arena);
  if (only.blow === 'late') return giveUp(only, history, task, arena, chanceOf(seed, nameOf(point)));
  return kill(only, history, task, arena);
}

async function strikeService(
  { strikes }: Point,
  history: CampaignHistory,
  task: EngineTask,
  { dataApi }: Arena,
): Promise<Attack> {
  let struck = 0;
  const faults = strikes.flatMap(({ blow, call }) => {
    if (!isServiceFault(blow)) return [];
    const fault = dataApi.faults.next({ kind: blow, nth: call, where: from(task), delayMs: DELAY_MS });
    void fault.struck.then(() => (struck += 1));
    return [fault];
  });
  const result = await runEngine(history, task);
  return {
    result,
    lie: '',
    end() {
      for (const fault of faults) fault.cancel();
      return Promise.resolve(struck === strikes.length);
    },
  };
}

/** The caller stops waiting; the request is carried out after a few more of its calls, or at the very end. */
async function giveUp(
  { call }: Strike,
  history: CampaignHistory,
  task: EngineTask,
  { dataApi }: Arena,
  chance: () => number,
): Promise<Attack> {
  const held = dataApi.faults.next({ kind: 'hold-before', nth: call, where: from(task) });
  let struck = false;
  void held.struck.then(() => (struck = true));
  const trigger = dataApi.faults.next({
    kind: 'skewed-date',
    nth: call + 1 + Math.floor(chance() * 5),
    where: from(task),
  });
  void trigger.struck.then(() => held.release());
  const result = await runEngine(history, task, impatientClient(task, held.struck));
  return {
    result,
    lie: '',
    async end() {
      trigger.cancel();
      held.cancel();
      held.release();
      if (struck) await answered(dataApi, task, 'hold-before');
      return struck;
    },
  };
}

async function kill(
  { blow, call }: Strike,
  history: CampaignHistory,
  task: EngineTask,
  arena: Arena,
): Promise<Attack> {
  const child = await arena.runnerProcess();
  let result: RunResult | null = null;
  child.on('message', (message) => (result = message as RunResult));
  const gone = once(child, 'exit');
  const moment = blow === 'kill-before' ? 'before' : 'after';
  if (blow !== 'kill-late') {
    child.send({ ...task, history: history.name, death: { nth: call, moment } });
    await gone;
    return { result, lie: '', end: () => Promise.resolve(child.signalCode === 'SIGKILL') };
  }
  const held = arena.dataApi.faults.next({
    kind: 'hold-before',
    nth: call,
    where: from(task),
  });
  child.send({ ...task, history: history.name });
  const met = await Promise.race([held.struck.then(() => true), gone.then(() => false)]);
  if (met) {
    child.kill('SIGKILL');
    await gone;
  }
  return {
    result,
    lie: '',
    async end() {
      held.cancel();
      held.release();
      if (met) await answered(arena.dataApi, task, 'hold-before');
      return met;
    },
  };
}

const from =
  ({ accessKeyId }: EngineTask) =>
  (call: { readonly accessKeyId: string }): boolean =>
    call.accessKeyId === accessKeyId;

/** Waits until a held call of this caller has been carried out and is in the log. */
async function answered(
  dataApi: Arena['dataApi'],
  { accessKeyId }: EngineTask,
  fault: string,
): Promise<void> {
  const there = (): boolean =>
    dataApi.calls().some((call) => call.accessKeyId === accessKeyId && call.fault === fault);
  while (!there()) await new Promise<void>((wake) => setImmediate(wake));
}

/** What a result claims of a step must be what the journal holds when the run has ended. */
async function lieIn(result: RunResult, { goal }: CampaignHistory, direct: Client): Promise<string> {
  const installed = await direct.query(`select to_regclass('forerun.migration') is not null as there`);
  const rows =
    installed.rows[0]?.there === true
      ? (await direct.query('select id from forerun.migration union all select id from forerun.repeatable'))
          .rows
      : [];
  const journal = new Set(rows.map((row: { id: string }) => row.id));
  for (const { migration, outcome } of result.steps) {
    const took = journal.has(migration) === (goal.direction === 'up');
    if (outcome === 'applied' && !took) return `${migration} was called applied, and was not`;
    if ((outcome === 'rolled-back' || outcome === 'not-run') && took) {
      return `${migration} was called ${outcome}, and had taken effect`;
    }
  }
  return '';
}

function endingOf(facts: { stuck: boolean; lied: boolean; snapshot: Snapshot; calm: Snapshot }): Ending {
  const { stuck, lied, snapshot, calm } = facts;
  if (snapshot.weight > calm.weight) return 'doubled';
  if (stuck) return 'stuck';
  if (snapshot.text !== calm.text) return 'lost';
  return lied ? 'lied' : 'survived';
}

/** The first place where two snapshots differ. */
function differenceOf({ text }: Snapshot, calm: Snapshot): string {
  if (text === calm.text) return '';
  let at = 0;
  while (text[at] === calm.text[at]) at += 1;
  const from = Math.max(0, at - 60);
  return ` (${text.slice(from, at + 80)} instead of ${calm.text.slice(from, at + 80)})`;
}

function whyOf(ending: Ending, lie: string, last: RunResult | null): string {
  switch (ending) {
    case 'survived':
      return '';
    case 'lied':
      return lie;
    case 'stuck':
      return last?.error?.text.what ?? 'no run came to its end';
    case 'doubled':
      return 'rows or numbers are more than in a calm run';
    case 'lost':
      return 'the database is not what a calm run leaves';
  }
}
