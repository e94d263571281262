import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { Revision } from '../../lambda/engine/migration.ts';
import { authorPlacesOf, type SourceMapText } from './author-places.ts';
import { explainBuildFailure, isBuildFailure } from './build-failure.ts';
import { COMMON_OPTIONS } from './esbuild-options.ts';
import { importingFiles } from './file-imports.ts';
import { importingForerunFrom } from './forerun-import.ts';
import { packageModule } from './package-source.ts';

/** A migration with the absolute path of its module. */
export interface BundledMigration extends Revision {
  readonly path: string;
}

interface RunnerContents {
  readonly digest: string;
  readonly migrations: readonly BundledMigration[];
  readonly repeatables: readonly BundledMigration[];
}

/** Beside the runner's code: where in the author's files its parts come from. */
const PLACES = 'places.json';

/** Writes `runner/index.mjs`: our runner, the AWS SDK and the migrations in history order, in one module. */
export async function writeRunner(
  bundled: RunnerContents,
  { directory, outdir }: { directory: string; outdir: string },
): Promise<string> {
  return writeMigrating('runner', entryOf('createRunner', 'lambda/runner', bundled), { directory, outdir });
}

/** Writes `worker/index.mjs`: the runner again, with the SDK for durable functions around it. */
export async function writeWorker(
  bundled: RunnerContents,
  { directory, outdir }: { directory: string; outdir: string },
): Promise<string> {
  return writeMigrating('worker', entryOf('createWorker', 'lambda/worker', bundled), { directory, outdir });
}

async function writeMigrating(
  name: string,
  contents: string,
  { directory, outdir }: { directory: string; outdir: string },
): Promise<string> {
  const folder = join(outdir, name);
  const { map, linesBefore } = await write(folder, directory, {
    stdin: { contents, resolveDir: directory, loader: 'js' },
    sourcemap: 'external',
    sourcesContent: false,
  });
  // What the package itself or a library throws in has no line of the author's.
  const places = authorPlacesOf(map, { directory, folder, linesBefore });
  await writeFile(join(folder, PLACES), JSON.stringify(places));
  return folder;
}

/** Writes `gate/index.mjs`: the function that speaks with CloudFormation, free of the user's code. */
export async function writeGate({
  directory,
  outdir,
}: {
  directory: string;
  outdir: string;
}): Promise<string> {
  const folder = join(outdir, 'gate');
  await write(folder, directory, { entryPoints: [packageModule('lambda/gate')] });
  return folder;
}

function entryOf(maker: string, module: string, { digest, migrations, repeatables }: RunnerContents): string {
  const all = [...migrations, ...repeatables];
  const entries = all.map(
    ({ id, after, checksum }, index) =>
      `{ id: ${quoted(id)}, after: ${quoted(after)}, checksum: ${quoted(checksum)}, definition: m${index} }`,
  );
  return [
    `import { ${maker} } from ${quoted(packageModule(module))};`,
    `import { readFileSync } from 'node:fs';`,
    ...all.map(({ path }, index) => `import m${index} from ${quoted(path)};`),
    `export const handler = ${maker}({ digest: ${quoted(digest)},`,
    `migrations: [${entries.slice(0, migrations.length).join(', ')}],`,
    `repeatables: [${entries.slice(migrations.length).join(', ')}],`,
    `places: () => JSON.parse(readFileSync(new URL(${quoted(PLACES)}, import.meta.url), 'utf8')) });`,
  ].join('\n');
}

/** As a literal of the generated module. */
function quoted(value: string | readonly string[]): string {
  return JSON.stringify(value);
}

interface Written {
  /** Of the code as esbuild wrote it; empty where none was asked for. */
  readonly map: SourceMapText;
  /** Lines that stand before that code. */
  readonly linesBefore: number;
}

async function write(folder: string, directory: string, entry: BuildOptions): Promise<Written> {
  const options: BuildOptions & { write: false } = {
    ...COMMON_OPTIONS,
    ...entry,
    outfile: join(folder, 'index.mjs'),
    absWorkingDir: directory,
    minify: true,
    write: false,
    plugins: [
      importingForerunFrom(packageModule('lambda/authoring/index'), { external: false }),
      importingFiles(directory),
    ],
  };
  try {
    const files = (await build(options)).outputFiles;
    const textOf = (ending: string) => files.find(({ path }) => path.endsWith(ending))?.text ?? '';
    const before = requireBefore(textOf('.mjs'));
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'index.mjs'), before + textOf('.mjs'));
    return { map: mapOf(textOf('.map')), linesBefore: before.split('\n').length - 1 };
  } catch (error) {
    throw isBuildFailure(error) ? explainBuildFailure(error, directory) : error;
  }
}

function mapOf(text: string): SourceMapText {
  const none: SourceMapText = { sources: [], mappings: '' };
  // esbuild's own form.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return text === '' ? none : (JSON.parse(text) as SourceMapText);
}

/** ECMAScript modules have no `require`; a bundled CommonJS package that wants a built-in module asks for it all the same. */
function requireBefore(code: string): string {
  if (!code.includes('Dynamic require of')) return '';
  return `import{createRequire as createRequireForBundle}from"node:module";const require=createRequireForBundle(import.meta.url);\n`;
}
