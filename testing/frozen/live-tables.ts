import * as types from '../../lambda/authoring/column-types.ts';
import type { AnyColumn } from '../../lambda/authoring/column.ts';
import { table, type Tables } from '../../lambda/authoring/table.ts';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import { readTables, type CatalogColumn } from './read-tables.ts';
import { type Builder, spellingOf } from './spelling.ts';

/** Every table of a database as it is now, so that values get their types without anybody declaring them. */
export async function liveTables(server: LocalPostgres, database: string): Promise<Tables> {
  const tables = await readTables(server, database);
  return Object.fromEntries(
    [...tables].map(([name, columns]) => [
      name,
      table(name, Object.fromEntries(columns.map((column) => [column.column, columnFor(column)]))),
    ]),
  );
}

function columnFor(found: CatalogColumn): AnyColumn {
  const { builder, args, modifiers } = spellingOf(found);
  let made: AnyColumn = built(builder, args);
  for (const modifier of modifiers) made = made[modifier]();
  return made;
}

function built(builder: Builder, args: readonly unknown[]): AnyColumn {
  // The spelling pairs each builder with the arguments that it takes.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion, import/namespace
  return (types[builder] as (...given: readonly unknown[]) => AnyColumn)(...args);
}
