import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Metafile, build } from 'esbuild';
import { isMigrationDefinition, type MigrationDefinition } from '../../lambda/authoring/index.ts';
import { refuseUnknownEnvironments } from '../../lambda/authoring/known-environments.ts';
import { type ParamsSchema, readParams } from '../../lambda/authoring/params.ts';
import { unreadParams } from '../../lambda/authoring/unread-params.ts';
import type { GivenParams } from '../bundle.ts';
import { BASE } from '../../lambda/engine/migration.ts';
import { type ErrorCode, ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';
import { explainBuildFailure, isBuildFailure } from './build-failure.ts';
import { COMMON_OPTIONS } from './esbuild-options.ts';
import { importingFiles } from './file-imports.ts';
import { importingForerunFrom } from './forerun-import.ts';
import { type MigrationFile, shownPath } from './migration-files.ts';
import { refusingOutsideCode } from './outside-code.ts';
import { packageModule } from './package-source.ts';
import { describeThrown } from './thrown.ts';
import { refuseWrittenTransactionControl } from './written-statements.ts';

/** What a migration says about itself. */
export interface LoadedMigration extends MigrationFile {
  /** Ids of its parents; empty for the first migration. */
  readonly after: readonly string[];
  /** It stands outside the history. */
  readonly repeatable: boolean;
  /** It is a backfill, which may outlast every call of the runner. */
  readonly backfill: boolean;
  /** Path as esbuild knows it, for looking up what it imports. */
  readonly input: string;
}

export interface Loaded {
  readonly migrations: readonly LoadedMigration[];
  readonly inputs: Metafile['inputs'];
}

/**
 * Compiles the modules into `scratch` and runs their top level to read their definitions.
 * `loading` hears which file is next: a module may end this process, and then its name is all there is to tell.
 */
export async function loadMigrations(
  files: readonly MigrationFile[],
  {
    directory,
    scratch,
    given,
    environments,
    loading,
  }: {
    directory: string;
    scratch: string;
    given: GivenParams | undefined;
    environments: readonly string[] | undefined;
    loading: (file: string) => void;
  },
): Promise<Loaded> {
  const { inputs } = await compile(files, directory, scratch);
  for (const path of ownModules(inputs, directory)) refuseWrittenTransactionControl(path, directory);
  const migrations: LoadedMigration[] = [];
  const schemas: ParamsSchema[] = [];
  for (const [index, file] of files.entries()) {
    const shown = shownPath(directory, file.path);
    loading(shown);
    // One after the other, so that the module that ends the process is the one last named.
    const module = await importModule(join(scratch, `${compiledName(index)}.mjs`), directory, shown);
    const input = relative(directory, file.path);
    const definition = definitionIn(module, file, shown);
    if (environments !== undefined) {
      refuseUnknownEnvironments(file.id, definition.environments ?? [], environments);
    }
    if (given !== undefined) refuseParams(file.id, definition, given);
    if (definition.params !== undefined) schemas.push(definition.params);
    migrations.push({
      ...file,
      after: [...new Set(definition.after)].filter((parent) => parent !== BASE),
      repeatable: definition.repeatable === true,
      backfill: definition.backfill !== undefined,
      input,
    });
  }
  const unread = given === undefined ? undefined : unreadParams(schemas, JSON.parse(given.params));
  if (unread !== undefined) throw unread;
  return { migrations, inputs };
}

async function compile(
  files: readonly MigrationFile[],
  directory: string,
  scratch: string,
): Promise<Metafile> {
  // The authoring functions stay outside: a definition is known by the very module that made it.
  const authoring = importingForerunFrom(pathToFileURL(packageModule('lambda/authoring/index')).href, {
    external: true,
  });
  try {
    const { metafile } = await build({
      ...COMMON_OPTIONS,
      absWorkingDir: directory,
      entryPoints: files.map(({ path }, index) => ({ in: path, out: compiledName(index) })),
      outdir: scratch,
      outExtension: { '.js': '.mjs' },
      splitting: true,
      chunkNames: '_shared/[hash]',
      sourcemap: 'inline',
      sourcesContent: false,
      plugins: [authoring, refusingOutsideCode(directory), importingFiles(directory)],
      // A bundled CommonJS package may still ask for `require`.
      banner: {
        js: `import { createRequire as createRequireForBundle } from 'node:module'; const require = createRequireForBundle(${JSON.stringify(pathToFileURL(join(directory, '_')).href)});`,
      },
    });
    return metafile;
  } catch (error) {
    throw isBuildFailure(error) ? explainBuildFailure(error, directory) : error;
  }
}

/** Migrations and what they import of their folder. */
function ownModules(inputs: Metafile['inputs'], directory: string): readonly string[] {
  return Object.keys(inputs)
    .filter((path) => /\.m?[jt]s$/.test(path) && !path.startsWith('..') && !path.includes('node_modules/'))
    .map((path) => join(directory, path));
}

/** Not the id: two files of one id are refused later, in words about the history. */
function compiledName(index: number): string {
  return `migration-${index}`;
}

async function importModule(
  path: string,
  directory: string,
  shown: string,
): Promise<Readonly<Record<string, unknown>>> {
  try {
    const module: Readonly<Record<string, unknown>> = await import(pathToFileURL(path).href);
    return module;
  } catch (cause) {
    if (cause instanceof ForerunError) {
      throw refusal(cause.code, `${shown}: ${cause.text.what}`, cause.text.next, cause);
    }
    throw refusal(
      'migration-not-loadable',
      `${shown} threw while it was loaded: ${describeThrown(cause, directory)}.`,
      'Work belongs into up and down; the rest of the module must load without a database.',
      cause,
    );
  }
}

function definitionIn(
  module: Readonly<Record<string, unknown>>,
  { id }: MigrationFile,
  shown: string,
): MigrationDefinition {
  const { default: definition } = module;
  const form = `export default migration({ after: '${BASE}' or the id before it, up, down })`;
  if (!('default' in module)) {
    throw refusal(
      'migration-not-a-migration',
      `${shown} has no default export.`,
      `End it with: ${form}. What is no migration belongs into a subfolder, or gets a name that begins with "_".`,
    );
  }
  if (!isMigrationDefinition(definition)) {
    throw refusal(
      'migration-not-a-migration',
      `The default export of ${shown} is ${kindOf(definition)}, not a migration.`,
      `Make it with migration from 'forerun': ${form}.`,
    );
  }
  if (definition.id !== undefined && definition.id !== id) {
    throw refusal(
      'history-bad-id',
      `${shown} says that its id is '${definition.id}', but the id of a migration is its file name, '${id}'.`,
      'Remove the id from the migration, or rename the file.',
    );
  }
  return definition;
}

function refuseParams(
  id: string,
  { params: schema, environments }: MigrationDefinition,
  { params, environment }: GivenParams,
): void {
  if (environment !== undefined && environments?.includes(environment) === false) return;
  const read = schema === undefined ? {} : readParams(id, schema, JSON.parse(params));
  if ('refusal' in read) throw read.refusal;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function refusal(code: ErrorCode, what: string, next: string, cause?: unknown): ForerunError {
  return new ForerunError(code, { what, state: UNTOUCHED, next }, { cause });
}
