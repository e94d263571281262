import { bindMigration, type MigrationDefinition } from 'forerun';
import type { Migration } from '../../lambda/engine/migration.ts';

/** Definitions under their ids, as the engine runs them; `surroundings` is what the deploy gives. */
export function historyOf(
  definitions: Readonly<Record<string, MigrationDefinition>>,
  surroundings?: Parameters<typeof bindMigration>[2],
): readonly Migration[] {
  return Object.entries(definitions).map(([id, definition]) =>
    bindMigration(definition, { id, after: definition.after, checksum: `v1:${id}` }, surroundings),
  );
}
