import { irreversible } from './irreversible.ts';
import {
  migration,
  notAMigration,
  type MigrationDefinition,
  type MigrationOptions,
  type Step,
} from './migration.ts';
import type { NoSecrets, Secrets } from './secret.ts';
import type { Table, Tables } from './table.ts';

/** What an author writes of a repeatable. */
export interface RepeatableSource<T extends Tables, P, S extends Secrets> extends Pick<
  MigrationOptions<T, P, S>,
  'id' | 'tables' | 'atomic' | 'lockTimeoutMs' | 'environments' | 'params' | 'secrets'
> {
  /** Brings the database to the wished state, whatever an earlier form of it has left. */
  readonly up: Step<T, P, S>;
}

type NoTables = { readonly [K in never]: Table };

/**
 * Defines what has no place in the history because it is written anew each time: reference rows, views, functions, grants. It runs
 * after the migrations, in the order of the file names, on the first run and whenever its checksum (code and imported rows)
 * is not the one that ran last. It has no way down: an older release runs its own form again.
 *
 * @example
 * import rows from './countries.csv';
 *
 * export default repeatable({
 *   async up({ op }) {
 *     await op.syncRows(countries, rows, { key: 'code' });
 *   },
 * });
 */
export function repeatable<const T extends Tables = NoTables, P = undefined, S extends Secrets = NoSecrets>(
  source: RepeatableSource<T, P, S>,
): MigrationDefinition {
  // Modules are bundled without type checks.
  if ('phase' in source) throw notAMigration('a repeatable has no "phase": it runs before the app goes live');
  const definition = migration<T, P, S>({
    ...source,
    after: 'base',
    down: irreversible('a repeatable has no way down'),
  });
  return Object.freeze({ ...definition, repeatable: true });
}
