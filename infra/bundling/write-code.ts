import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { Revision } from '../../lambda/engine/migration.ts';
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

/** Writes `runner/index.mjs`: our runner, the AWS SDK and the migrations in history order, in one module. */
export async function writeRunner(
  bundled: RunnerContents,
  { directory, outdir }: { directory: string; outdir: string },
): Promise<string> {
  const contents = entryOf('createRunner', 'lambda/runner', bundled);
  return await write(join(outdir, 'runner'), directory, {
    stdin: { contents, resolveDir: directory, loader: 'js' },
  });
}

/** Writes `worker/index.mjs`: the runner again, with the SDK for durable functions around it. */
export async function writeWorker(
  bundled: RunnerContents,
  { directory, outdir }: { directory: string; outdir: string },
): Promise<string> {
  const contents = entryOf('createWorker', 'lambda/worker', bundled);
  return await write(join(outdir, 'worker'), directory, {
    stdin: { contents, resolveDir: directory, loader: 'js' },
  });
}

/** Writes `gate/index.mjs`: the function that speaks with CloudFormation, free of the user's code. */
export async function writeGate({
  directory,
  outdir,
}: {
  directory: string;
  outdir: string;
}): Promise<string> {
  return await write(join(outdir, 'gate'), directory, { entryPoints: [packageModule('lambda/gate')] });
}

function entryOf(maker: string, module: string, { digest, migrations, repeatables }: RunnerContents): string {
  const all = [...migrations, ...repeatables];
  const entries = all.map(
    ({ id, after, checksum }, index) =>
      `{ id: ${quoted(id)}, after: ${quoted(after)}, checksum: ${quoted(checksum)}, definition: m${index} }`,
  );
  return [
    `import { ${maker} } from ${quoted(packageModule(module))};`,
    ...all.map(({ path }, index) => `import m${index} from ${quoted(path)};`),
    `export const handler = ${maker}({ digest: ${quoted(digest)},`,
    `migrations: [${entries.slice(0, migrations.length).join(', ')}],`,
    `repeatables: [${entries.slice(migrations.length).join(', ')}] });`,
  ].join('\n');
}

/** As a literal of the generated module. */
function quoted(value: string | readonly string[]): string {
  return JSON.stringify(value);
}

async function write(folder: string, directory: string, entry: BuildOptions): Promise<string> {
  const options: BuildOptions & { write: false } = {
    ...COMMON_OPTIONS,
    ...entry,
    absWorkingDir: directory,
    minify: true,
    write: false,
    plugins: [
      importingForerunFrom(packageModule('lambda/authoring/index'), { external: false }),
      importingFiles(directory),
    ],
  };
  try {
    const [file] = (await build(options)).outputFiles;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'index.mjs'), withRequire(file?.text ?? ''));
    return folder;
  } catch (error) {
    throw isBuildFailure(error) ? explainBuildFailure(error, directory) : error;
  }
}

/** ECMAScript modules have no `require`; a bundled CommonJS package that wants a built-in module asks for it all the same. */
function withRequire(code: string): string {
  if (!code.includes('Dynamic require of')) return code;
  return `import{createRequire as createRequireForBundle}from"node:module";const require=createRequireForBundle(import.meta.url);\n${code}`;
}
