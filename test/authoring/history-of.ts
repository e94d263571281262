import { bindMigration, type MigrationDefinition } from 'forerun';
import type { Migration } from '../../lambda/engine/migration.ts';

/** Definitions under their ids, as the engine runs them. */
export function historyOf(definitions: Readonly<Record<string, MigrationDefinition>>): readonly Migration[] {
  return Object.entries(definitions).map(([id, definition]) =>
    bindMigration(definition, { id, after: definition.after, checksum: `v1:${id}` }),
  );
}
