import type { ColumnType, Kysely } from 'kysely';
import { createBuilder } from '../lambda/authoring/dialect.ts';
import { createOperations, type Operations } from '../lambda/authoring/operations.ts';
import type { DatabaseOf, Tables } from '../lambda/authoring/table.ts';
import { liveTables } from './frozen/live-tables.ts';
import type { Workbench } from './workbench.ts';

/** Tables and columns by any name, for tests that declare none: what is written is not checked by the compiler. */
export type AnyTables = {
  readonly [table: string]: { readonly [column: string]: ColumnType<unknown, unknown, unknown> };
};

/** What `before`, `after` and `reverted` get to work with; each statement commits alone. */
export interface TestContext<T extends Tables | undefined> {
  /**
   * Kysely over the Data API. It knows every table as the database has it at that moment; `tables` adds the compiler's view.
   */
  readonly db: Kysely<T extends Tables ? DatabaseOf<T> : AnyTables>;
  /** Plain SQL and bulk rows: `execute`, `query`, `bulkInsert`, `bulkUpdate`, as in a migration. */
  readonly op: Operations;
}

/** Opens the context on a database as it is now. */
export async function openContext<T extends Tables | undefined>(
  bench: Workbench,
  name: string,
): Promise<TestContext<T>> {
  const session = bench.connect(name);
  const tables = await liveTables(bench.postgres, name);
  const db = createBuilder(session, tables);
  return {
    // The tables are those of the database; their static types are what the test says of them.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    db: db as unknown as TestContext<T>['db'],
    op: createOperations(session, { db, tables }, { inTransaction: false, progress: () => undefined }),
  };
}
