import type { Tables } from '../lambda/authoring/table.ts';
import { DatabaseFailure } from '../lambda/engine/database-failure.ts';
import { ForerunError } from '../lambda/engine/errors.ts';
import { BASE, type Revision } from '../lambda/engine/migration.ts';
import { readCatalog } from './catalog/read-catalog.ts';
import { refuseDifferences } from './catalog/refuse-differences.ts';
import { registerTests, type TestedHistory } from './shared-workbench.ts';
import { climb, stepDown, statesIn } from './states.ts';
import { openContext, type TestContext } from './test-context.ts';
import type { BuiltHistory, Workbench } from './workbench.ts';

/** One side of a test; a rejection fails it. */
export type TestStep<T extends Tables | undefined> = (context: TestContext<T>) => Promise<unknown>;

export interface MigrationTest<T extends Tables | undefined = undefined> extends TestedHistory {
  /** Fills the database, which stands just before the migration. */
  readonly before?: TestStep<T>;
  /** Looks at what the migration made of it. */
  readonly after?: TestStep<T>;
  /** Goes down again, compares the catalog with the one before, and goes up once more. @default false */
  readonly down?: boolean;
  /** Looks at the database after `down`. */
  readonly reverted?: TestStep<T>;
  /** What the compiler is to know of the tables. @default any table, any column */
  readonly tables?: T;
  /** Name of the test. @default `migration <id>` */
  readonly name?: string;
}

/**
 * Registers a test of one migration with the test runner at work (Vitest, Jest or `node:test`).
 *
 * The test brings a PostgreSQL of its own to the state just before the migration, lets `before` fill it, applies the
 * migration with the real runner through the local Data API, and lets `after` look at the result. The PostgreSQL is an
 * embedded one, or a new database on the server that `DATABASE_URL` names.
 *
 * The test fails with a `ForerunError`: `test-failed` when the seed is not right or `down` leaves something behind,
 * `plan-irreversible` when there is no way down, otherwise the error of the run; what an assertion throws comes through
 * unchanged.
 *
 * @example
 * testMigration('0007_add_slug', {
 *   before: async ({ db }) => db.insertInto('articles').values({ id: 1, title: 'Hello World' }).execute(),
 *   after: async ({ db }) => {
 *     const { slug } = await db.selectFrom('articles').select('slug').executeTakeFirstOrThrow();
 *     expect(slug).toBe('hello-world');
 *   },
 *   down: true,
 * });
 */
export function testMigration<const T extends Tables | undefined = undefined>(
  id: string,
  test: MigrationTest<T> = {},
): void {
  const { name = `migration ${id}` } = test;
  registerTests(test, [
    { name, run: async (history, bench) => rehearse(migrationOf(history, id), test, history, bench) },
  ]);
}

async function rehearse<T extends Tables | undefined>(
  migration: Revision,
  { before, after, down = false, reverted }: MigrationTest<T>,
  history: BuiltHistory,
  bench: Workbench,
): Promise<void> {
  const { id } = migration;
  const database = await statesIn(bench, history).copyBefore(migration);
  try {
    const parent = migration.after.join(' and ') || BASE;
    await step(before, { name: 'before', id, stands: `stands at ${parent}` }, bench, database);
    const old = await readCatalog(bench.postgres, database);
    await climb(history, database, [id]);
    const fresh = await readCatalog(bench.postgres, database);
    await step(after, { name: 'after', id, stands: `stands at ${id}` }, bench, database);
    if (!down && reverted === undefined) return;
    await stepDown(history, database, migration);
    refuseDifferences(old, await readCatalog(bench.postgres, database), `down of ${id} does not lead back`);
    await step(reverted, { name: 'reverted', id, stands: `stands at ${parent} again` }, bench, database);
    await climb(history, database, [id]);
    refuseDifferences(
      fresh,
      await readCatalog(bench.postgres, database),
      `${id} does not do the same again after it was taken back`,
    );
  } finally {
    bench.drop(database);
  }
}

interface StepPlace {
  readonly name: 'before' | 'after' | 'reverted';
  readonly id: string;
  readonly stands: string;
}

async function step<T extends Tables | undefined>(
  work: TestStep<T> | undefined,
  { name, id, stands }: StepPlace,
  bench: Workbench,
  database: string,
): Promise<void> {
  if (work === undefined) return;
  try {
    await work(await openContext<T>(bench, database));
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure)) throw cause;
    const sqlState = cause.sqlState === undefined ? '' : ` (SQLSTATE ${cause.sqlState})`;
    throw new ForerunError(
      'test-failed',
      {
        what: `A statement in ${name} of the test of ${id} failed${sqlState}: ${cause.message.replace(/[.\s]+$/, '')}.`,
        state: `The database of this test ${stands}.`,
        next: `Write ${name} for the tables as they are at that point of the history.`,
      },
      { cause },
    );
  }
}

function migrationOf({ migrations }: BuiltHistory, id: string): Revision {
  const found = migrations.find((one) => one.id === id);
  if (found !== undefined) return found;
  throw new ForerunError('input-invalid', {
    what: `There is no migration "${id}" to test.`,
    state: 'No database was touched.',
    next: `Name one of ${migrations.map((one) => one.id).join(', ')}.`,
  });
}
