import type { Revision } from '../lambda/engine/migration.ts';
import { BASE } from '../lambda/engine/migration.ts';
import type { BuiltHistory, Workbench } from './workbench.ts';

/** Databases in states of one history; what takes long to make is made once and copied from then on. */
export interface States {
  /** A database of one's own in which everything below a migration is applied, and nothing else. */
  copyBefore(migration: Revision): Promise<string>;
}

/** Applying so few migrations takes no longer than copying a database once more does. */
const CLIMBED = 10;

interface Template {
  readonly applied: ReadonlySet<string>;
  readonly database: Promise<string>;
}

const known = new WeakMap<BuiltHistory, States>();

/** The states of a history on a workbench; they last as long as it does. */
export function statesIn(bench: Workbench, history: BuiltHistory): States {
  const states = known.get(history) ?? statesOf(history, bench);
  known.set(history, states);
  return states;
}

function statesOf(history: BuiltHistory, bench: Workbench): States {
  const templates: Template[] = [];

  /** The state that was made before and lacks the least. */
  const nearest = (wanted: ReadonlySet<string>): Template | undefined =>
    templates
      .filter(({ applied }) => [...applied].every((id) => wanted.has(id)))
      .sort((one, other) => other.applied.size - one.applied.size)[0];

  const make = async (parents: readonly string[], from: Template | undefined): Promise<string> => {
    const database = from === undefined ? await bench.newDatabase() : await bench.copyOf(await from.database);
    await climb(history, database, parents);
    return database;
  };

  return {
    async copyBefore({ after }) {
      const applied = ancestryOf(history.migrations, after);
      const from = nearest(applied);
      if (from !== undefined && from.applied.size === applied.size) return bench.copyOf(await from.database);
      if (applied.size - (from?.applied.size ?? 0) <= CLIMBED) return make(after, from);
      const template = { applied, database: make(after, from) };
      templates.push(template);
      return bench.copyOf(await template.database);
    },
  };
}

/** Applies some migrations with everything below them. */
export async function climb(
  history: BuiltHistory,
  database: string,
  migrations: readonly string[],
): Promise<void> {
  for (const to of migrations) await history.ask({ action: 'up', to }, database);
}

/**
 * Takes one migration back, the last one applied. One that joins several lines can only be left along the first of them;
 * the others are applied again.
 */
export async function stepDown(history: BuiltHistory, database: string, { after }: Revision): Promise<void> {
  const [to = BASE, ...others] = after;
  await history.ask({ action: 'down', to }, database);
  await climb(history, database, others);
}

/** Some migrations and everything that they stand on, in history order. */
export function ancestryOf(migrations: readonly Revision[], ids: readonly string[]): ReadonlySet<string> {
  const members = new Set(ids);
  for (const { id, after } of migrations.toReversed()) {
    if (members.has(id)) for (const parent of after) members.add(parent);
  }
  return new Set(migrations.map(({ id }) => id).filter((id) => members.has(id)));
}
