import { realpathSync } from 'node:fs';
import { startWorkbench } from '../workbench.ts';
import { type CatalogColumn, readTables } from './read-tables.ts';

/** Columns of every table as the whole history of a folder leaves them, read from an embedded PostgreSQL. */
export async function tablesAtHead(
  directory: string,
): Promise<ReadonlyMap<string, readonly CatalogColumn[]>> {
  const folder = realpathSync(directory);
  const bench = await startWorkbench(folder);
  try {
    const history = await bench.history(folder);
    const database = await bench.newDatabase();
    await history.ask({ action: 'up' }, database);
    return await readTables(bench.postgres, database);
  } finally {
    await bench.close();
  }
}
