import { readdirSync } from 'node:fs';
import { basename, dirname, extname, join, relative, sep } from 'node:path';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';

/** One migration module, before it is read. */
export interface MigrationFile {
  /** The file name without its ending. */
  readonly id: string;
  /** Absolute path. */
  readonly path: string;
}

const MODULE_ENDINGS: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs']);

/** Declarations and tests may lie beside migrations; a leading `_` or `.` keeps a shared module out of the history. */
const NOT_A_MIGRATION = /^[_.]|\.d\.m?ts$|\.(?:test|spec)\.m?[jt]s$/;

/** The migration modules of a folder by name; what is no module (JSON, SQL, text, folders) is left alone. */
export function listMigrationFiles(directory: string): readonly MigrationFile[] {
  const files = readNames(directory)
    .filter((name) => MODULE_ENDINGS.has(extname(name)) && !NOT_A_MIGRATION.test(name))
    .sort()
    .map((name) => ({ id: basename(name, extname(name)), path: join(directory, name) }));
  if (files.length > 0) return files;
  throw new ForerunError('history-empty', {
    what: `The folder ${shownDirectory(directory)} holds no migration.`,
    state: UNTOUCHED,
    next: `Write the first one, ${join(basename(directory), '0001_create_users.ts')}: import { migration } from 'forerun'; export default migration({ after: 'base', async up({ op }) { … }, async down({ op }) { … } });`,
  });
}

/** A file as people know it: from the folder that holds the migrations, never an absolute path. */
export function shownPath(directory: string, file: string): string {
  return relative(dirname(directory), file).split(sep).join('/');
}

function readNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name);
  } catch (cause) {
    throw new ForerunError(
      'history-empty',
      {
        what: `There is no folder ${shownDirectory(directory)} to read migrations from.`,
        state: UNTOUCHED,
        next: 'Create it, or name the folder that holds your migrations.',
      },
      { cause },
    );
  }
}

function shownDirectory(directory: string): string {
  return `'${relative(process.cwd(), directory) || '.'}'`;
}
