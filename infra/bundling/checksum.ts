import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, extname, join, posix, resolve } from 'node:path';
import { type Node, parse } from 'acorn';
import { type Metafile, transformSync } from 'esbuild';
import { readCsvFile } from './csv-file.ts';
import { readSqlFile } from './sql-file.ts';
import { tokensOf } from './sql-parser.ts';
import { readTextFile } from './text-file.ts';

/**
 * Version of the algorithm below. The journal keeps it with every checksum, so a better algorithm can come one day
 * without declaring every applied migration changed.
 */
const VERSION = 'v1';

type Inputs = Metafile['inputs'];

/**
 * Fingerprint of what a migration does: its syntax tree and what every local file says that it imports, directly or not.
 * Comments, layout and TypeScript types do not count, of data files only their values, of SQL only its tokens. Packages
 * count by name only: an upgrade of one is no change of a migration. `inputs` is what esbuild found out about the
 * imports, with paths relative to `directory`.
 */
export async function checksumOf(entry: string, inputs: Inputs, directory: string): Promise<string> {
  const local = [...localFilesOf(entry, inputs, directory)];
  const files = await Promise.all(
    local.map(async (file) => [
      posix.relative(posix.dirname(entry), file),
      await contentOf(resolve(directory, file), directory),
    ]),
  );
  return `${VERSION}:${sha256(JSON.stringify(files.sort(byPath))).slice(0, 32)}`;
}

/** Hexadecimal SHA-256. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function localFilesOf(entry: string, inputs: Inputs, directory: string): ReadonlySet<string> {
  const files = new Set([entry]);
  // A set hands on what is added while it is walked.
  for (const file of files) {
    for (const { path, original = '', external = false } of inputs[file]?.imports ?? []) {
      if (!external && !isPackage(original, path, resolve(directory, dirname(file)))) files.add(path);
    }
  }
  return files;
}

/**
 * Whether an import names a package. A bare name that leads out of `node_modules` is one where it is installed under
 * that name (a workspace); otherwise it is an alias of the project's own, and what lies behind it is local.
 */
function isPackage(specifier: string, path: string, importer: string): boolean {
  if (/^[./#]/.test(specifier)) return false;
  return path.split('/').includes('node_modules') || isInstalled(packageOf(specifier), importer);
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isInstalled(name: string, folder: string): boolean {
  if (existsSync(join(folder, 'node_modules', name))) return true;
  return dirname(folder) !== folder && isInstalled(name, dirname(folder));
}

async function contentOf(path: string, directory: string): Promise<unknown> {
  switch (extname(path)) {
    case '.sql':
      return tokensOf((await readSqlFile(path, directory)).map(({ sql }) => sql));
    case '.csv':
      return readCsvFile(path, directory);
    case '.json':
      return JSON.parse(readTextFile(path, directory).text);
    case '.ts':
    case '.mts':
    case '.cts':
    case '.js':
    case '.mjs':
    case '.cjs':
      return syntaxOf(readFileSync(path, 'utf8'), path);
    default:
      // A checkout may turn line ends into CRLF.
      return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  }
}

function syntaxOf(text: string, path: string): unknown {
  // Only the types are taken away: bundling or lowering would let a new release of esbuild change the checksum.
  const { code } = transformSync(text, { loader: 'ts', target: 'esnext', sourcefile: path, tsconfigRaw: {} });
  const tree: Node = parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  return JSON.parse(JSON.stringify(tree, withoutPlace));
}

/** Leaves out where a node stood and how a literal was written; a BigInt keeps its digits in `bigint`. */
function withoutPlace(this: unknown, key: string, value: unknown): unknown {
  if (key === 'start' || key === 'end') return undefined;
  if (key === 'raw' && isLiteral(this)) return undefined;
  return typeof value === 'bigint' ? undefined : value;
}

function isLiteral(holder: unknown): boolean {
  return typeof holder === 'object' && holder !== null && 'type' in holder && holder.type === 'Literal';
}

function byPath([one = '']: readonly unknown[], [other = '']: readonly unknown[]): number {
  return String(one) < String(other) ? -1 : 1;
}
