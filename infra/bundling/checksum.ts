import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { extname, posix, resolve } from 'node:path';
import { type Node, parse } from 'acorn';
import { type Metafile, transformSync } from 'esbuild';

/**
 * Version of the algorithm below. The journal keeps it with every checksum, so a better algorithm can come one day
 * without declaring every applied migration changed.
 */
const VERSION = 'v1';

type Inputs = Metafile['inputs'];

/**
 * Fingerprint of what a migration does: its syntax tree and that of every local file it imports, directly or not.
 * Comments, layout and TypeScript types do not count. Packages count by name only: an upgrade of one is no change of
 * a migration. `inputs` is what esbuild found out about the imports, with paths relative to `directory`.
 */
export function checksumOf(entry: string, inputs: Inputs, directory: string): string {
  const files = [...localFilesOf(entry, inputs)].map((file) => [
    posix.relative(posix.dirname(entry), file),
    contentOf(resolve(directory, file)),
  ]);
  return `${VERSION}:${sha256(JSON.stringify(files.sort(byPath))).slice(0, 32)}`;
}

/** Hexadecimal SHA-256. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function localFilesOf(entry: string, inputs: Inputs): ReadonlySet<string> {
  const files = new Set([entry]);
  // A set hands on what is added while it is walked.
  for (const file of files) {
    for (const { path, original, external } of inputs[file]?.imports ?? []) {
      if (external !== true && isLocal(original)) files.add(path);
    }
  }
  return files;
}

/** Relative and absolute paths and a package's own `#` imports; every other specifier names a package. */
function isLocal(specifier: string | undefined): boolean {
  return specifier !== undefined && /^[./#]/.test(specifier);
}

function contentOf(path: string): unknown {
  const text = readFileSync(path, 'utf8');
  switch (extname(path)) {
    case '.json':
      return JSON.parse(text);
    case '.ts':
    case '.mts':
    case '.cts':
    case '.js':
    case '.mjs':
    case '.cjs':
      return syntaxOf(text, path);
    default:
      // A checkout may turn line ends into CRLF.
      return text.replaceAll('\r\n', '\n');
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
