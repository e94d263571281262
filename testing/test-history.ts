import { ForerunError } from '../lambda/engine/errors.ts';
import { BASE, type Revision } from '../lambda/engine/migration.ts';
import { differences, listed } from './catalog/difference.ts';
import { readCatalog, type Catalog } from './catalog/read-catalog.ts';
import { refuseDifferences } from './catalog/refuse-differences.ts';
import { registerTests, type TestedHistory } from './shared-workbench.ts';
import { ancestryOf, climb, stepDown } from './states.ts';
import type { BuiltHistory, Workbench } from './workbench.ts';

export type HistoryTest = TestedHistory;

/**
 * Registers three tests of a whole history with the test runner at work (Vitest, Jest or `node:test`): it has one head and
 * its bundle builds; all migrations go up, down and up again to the same catalog at once; each of them does so by itself.
 *
 * Migrations that are irreversible are not taken down; a line says so. They fail with a `ForerunError`: `test-failed` with
 * the migration and what differs, otherwise the error of the bundle or of the run.
 *
 * @example testHistory();
 */
export function testHistory(tested: HistoryTest = {}): void {
  registerTests(tested, [
    // What is wrong with it is said while it is built.
    { name: 'the history has one head and its bundle builds', run: async () => Promise.resolve() },
    { name: 'all migrations go up, down and up again at once', run: allAtOnce },
    { name: 'each migration goes up, down and up again', run: oneByOne },
  ]);
}

/** Up to the head, down as far as there is a way, up again. */
async function allAtOnce(history: BuiltHistory, bench: Workbench): Promise<void> {
  const database = await bench.newDatabase();
  try {
    const last = await lowestReachable(history, bench);
    if (last !== undefined) await climb(history, database, [last.id]);
    const lowest = await readCatalog(bench.postgres, database);
    await climb(history, database, [history.head]);
    const highest = await readCatalog(bench.postgres, database);
    await history.ask({ action: 'down', to: last?.id ?? BASE }, database);
    refuseDifferences(
      lowest,
      await readCatalog(bench.postgres, database),
      `Going down from ${history.head} to ${last?.id ?? BASE} does not lead back`,
    );
    await climb(history, database, [history.head]);
    refuseDifferences(
      highest,
      await readCatalog(bench.postgres, database),
      `Going up to ${history.head} a second time does not lead to the same`,
    );
    // Repeatables run at the end of a whole run only, and have no way back.
    await history.ask({ action: 'up' }, database);
  } finally {
    bench.drop(database);
  }
}

/** Walks up the history; each migration goes up, down and up again. All that fail are told together. */
async function oneByOne(history: BuiltHistory, bench: Workbench): Promise<void> {
  const irreversible = await irreversibleOnes(history, bench);
  const failures: string[] = [];
  let walk: { database: string; at: string } | undefined;
  const leave = (): void => {
    if (walk !== undefined) bench.drop(walk.database);
    walk = undefined;
  };
  try {
    for (const migration of history.migrations) {
      const parent = migration.after.length > 1 ? undefined : (migration.after[0] ?? BASE);
      // Where lines part or join, the walk begins anew, so that nothing but the migration itself goes down.
      if (walk !== undefined && walk.at !== parent) leave();
      walk ??= { database: await bench.newDatabase(), at: '' };
      const { database } = walk;
      await climb(history, database, migration.after);
      const why = irreversible.get(migration.id);
      if (why !== undefined) process.stdout.write(`${migration.id} is not taken down: ${why}\n`);
      const failure = await upDownUp(migration, { history, bench, database, down: why === undefined });
      if (failure === undefined) {
        walk.at = migration.id;
        continue;
      }
      failures.push(failure.text);
      if (failure.stop) break;
      leave();
    }
  } finally {
    leave();
  }
  if (failures.length === 0) return;
  throw new ForerunError('test-failed', {
    what: `${failures.join('\n')}\n`,
    state: 'Only databases of this test were touched.',
    next: 'Mend up or down of what is named.',
  });
}

interface Place {
  readonly history: BuiltHistory;
  readonly bench: Workbench;
  readonly database: string;
  readonly down: boolean;
}

/** What is wrong with one migration; `stop` when nothing that follows it can be tried. */
async function upDownUp(
  migration: Revision,
  { history, bench, database, down }: Place,
): Promise<{ readonly text: string; readonly stop: boolean } | undefined> {
  const { id } = migration;
  let stop = true;
  try {
    const before = await readCatalog(bench.postgres, database);
    await climb(history, database, [id]);
    stop = false;
    if (!down) return undefined;
    const after = await readCatalog(bench.postgres, database);
    await stepDown(history, database, migration);
    const left = different(before, await readCatalog(bench.postgres, database));
    if (left !== undefined) return { text: `down of ${id} does not lead back:${left}`, stop };
    await climb(history, database, [id]);
    const again = different(after, await readCatalog(bench.postgres, database));
    if (again === undefined) return undefined;
    return { text: `${id} does not do the same again after it was taken back:${again}`, stop };
  } catch (cause) {
    if (!(cause instanceof ForerunError)) throw cause;
    return { text: cause.text.what, stop };
  }
}

function different(wanted: Catalog, found: Catalog): string | undefined {
  const lines = differences(wanted, found);
  return lines.length === 0 ? undefined : listed(lines);
}

/** The first migration that stands on everything irreversible, itself included: no way down goes below it. */
async function lowestReachable(history: BuiltHistory, bench: Workbench): Promise<Revision | undefined> {
  const irreversible = [...(await irreversibleOnes(history, bench)).keys()];
  if (irreversible.length === 0) return undefined;
  return history.migrations.find(({ id }) => {
    const below = ancestryOf(history.migrations, [id]);
    return irreversible.every((one) => below.has(one));
  });
}

/** Which migrations have no way back, and why, in the words of the plan that is refused for them. */
async function irreversibleOnes(
  history: BuiltHistory,
  bench: Workbench,
): Promise<ReadonlyMap<string, string>> {
  const database = await bench.newDatabase();
  try {
    // Marked as applied without running anything: a plan asks for no more.
    await history.ask({ action: 'stamp', to: history.head, reason: 'which have no way back?' }, database);
    const answer = await history.ask({ action: 'plan', direction: 'down', to: BASE }, database);
    const refusals = answer.action === 'plan' ? answer.plan.refusals : [];
    return new Map(
      refusals
        .filter(({ code }) => code === 'plan-irreversible')
        .map(({ place, text }) => [place.migration ?? '', text.what.replace(/^.*?: /, '')]),
    );
  } finally {
    bench.drop(database);
  }
}
