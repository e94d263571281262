/** What a migration module imports from 'forerun'. */
export type { OnConflict } from './bulk-conflict.ts';
export type { BulkInsertOptions, BulkInsertResult } from './bulk-insert.ts';
export { markTextRows, type TextRow } from './bulk-text.ts';
export type { BulkUpdateOptions, BulkUpdateResult } from './bulk-update.ts';
export type { Column, Presence } from './column.ts';
export {
  bigint,
  boolean,
  bytea,
  char,
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
  numeric,
  real,
  smallint,
  text,
  time,
  timestamp,
  timestamptz,
  uuid,
  varchar,
} from './column-types.ts';
export { jsonNull, type JsonNull } from './json-null.ts';
export { irreversible, type Irreversible } from './irreversible.ts';
export {
  bindMigration,
  isMigrationDefinition,
  migration,
  type MigrationContext,
  type MigrationDefinition,
  type MigrationSource,
  type Step,
} from './migration.ts';
export type { NamedValues, Operations, Query } from './operations.ts';
export { sql } from './sql.ts';
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
