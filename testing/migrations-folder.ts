import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ForerunError, UNTOUCHED } from '../lambda/engine/errors.ts';

/** The folder that was named, or the nearest `migrations` from the working directory upward. */
export function migrationsFolder(named: string | undefined): string {
  if (named !== undefined) return resolve(named);
  for (let at = process.cwd(); ; at = dirname(at)) {
    const candidate = join(at, 'migrations');
    if (statSync(candidate, { throwIfNoEntry: false })?.isDirectory() === true) return candidate;
    if (at === dirname(at)) break;
  }
  throw new ForerunError('history-empty', {
    what: 'There is no folder migrations, neither in the working directory nor above it.',
    state: UNTOUCHED,
    next: `Name the folder that holds your migrations: { directory: 'db/migrations' }.`,
  });
}
