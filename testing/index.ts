/**
 * What `forerun/testing` offers: tests of migrations and of a whole history, and the part of AWS that a deploy needs, on one
 * machine.
 */
export * from '../local/index.ts';
export { testHistory, type HistoryTest } from './test-history.ts';
export { testMigration, type MigrationTest, type TestStep } from './test-migration.ts';
export type { AnyTables, TestContext } from './test-context.ts';
