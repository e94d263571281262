// What an imported .sql or .csv file is; a file for the compiler alone, which no import can name.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./files.d.ts" preserve="true" />
/** What a migration module imports from 'forerun'. */
export { backfill } from './backfill.ts';
export type {
  BackfillOptions,
  BackfillSource,
  BatchContext,
  BatchForm,
  Condition,
  InsertForm,
  KeyOf,
  SetForm,
  TransformForm,
} from './backfill-source.ts';
export type { OnConflict } from './bulk-conflict.ts';
export type { BulkInsertOptions, BulkInsertResult } from './bulk-insert.ts';
export { markTextRows, type TextRow } from './bulk-text.ts';
export type { BulkUpdateOptions, BulkUpdateResult } from './bulk-update.ts';
export type { Check } from './check.ts';
export type { Column, Presence } from './column.ts';
export {
  bigint,
  boolean,
  bytea,
  char,
  cidr,
  citext,
  column,
  date,
  double,
  enumType,
  inet,
  integer,
  interval,
  json,
  jsonb,
  macaddr,
  numeric,
  real,
  smallint,
  text,
  time,
  timestamp,
  timestamptz,
  timetz,
  uuid,
  varchar,
} from './column-types.ts';
export type { MigrationContext } from './context.ts';
export type { Amount, Expectation, RowsExpected } from './expectation.ts';
export type { Expecting } from './expect.ts';
export { jsonNull, type JsonNull } from './json-null.ts';
export { irreversible, type Irreversible } from './irreversible.ts';
export {
  bindMigration,
  isMigrationDefinition,
  migration,
  type MigrationDefinition,
  type MigrationSource,
  type Step,
} from './migration.ts';
export {
  operation,
  type Op,
  type Operation,
  type OperationContext,
  type OperationSource,
  type UsedOperation,
} from './operation.ts';
export { addCheck, type CheckArgument } from './operations/add-check.ts';
export { addEnumValue, type EnumValueArgument } from './operations/add-enum-value.ts';
export { addForeignKey, type ForeignKeyArgument } from './operations/add-foreign-key.ts';
export { addIndex, type IndexArgument } from './operations/add-index.ts';
export { addNotNull, type NotNullArgument } from './operations/add-not-null.ts';
export type { Rename } from './operations/column-twin.ts';
export { beginColumnRename, finishColumnRename } from './operations/rename-column.ts';
export { replaceFunction, type FunctionArgument } from './operations/replace-function.ts';
export { replaceView, type ViewArgument } from './operations/replace-view.ts';
export type { NamedValues, Operations, Query } from './operations.ts';
export type { ParamsSchema } from './params.ts';
export { repeatable, type RepeatableSource } from './repeatable.ts';
export { secret, type Secret, type Secrets } from './secret.ts';
export { sql } from './sql.ts';
export type { SyncOptions, SyncResult } from './sync-rows.ts';
export type { SqlScript } from './sql-script.ts';
export {
  table,
  type ChangedRow,
  type Columns,
  type DatabaseOf,
  type NewRow,
  type ReadRow,
  type Table,
  type Tables,
} from './table.ts';
