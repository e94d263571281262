import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type Bundle, type BundleOptions, bundleSync } from './bundle.ts';

/** A bundle as this process has made it. */
interface Made {
  /** Its folders are named from the folder it was made in. */
  readonly bundle: Bundle;
  readonly code: ReadonlyMap<string, Buffer>;
  /** How each file of the author's was when it went into it. */
  readonly sources: ReadonlyMap<string, string | null>;
}

const made = new Map<string, Made>();

/**
 * `bundleSync`, which an app with the same migrations in several stacks waits for only once: it takes longer than the rest of a
 * stack's synth. A folder with another file, or with one that was written since, is bundled anew.
 */
export function bundleOnce({ outdir, ...options }: BundleOptions): Bundle {
  const key = JSON.stringify([resolve(options.directory), options, namesIn(options.directory)]);
  const before = made.get(key);
  if (before !== undefined && [...before.sources].every(([path, state]) => stateOf(path) === state)) {
    for (const [name, bytes] of before.code) {
      mkdirSync(dirname(join(outdir, name)), { recursive: true });
      writeFileSync(join(outdir, name), bytes);
    }
    return moved(before.bundle, (folder) => join(outdir, folder));
  }
  const began = Date.now();
  const bundle = bundleSync({ ...options, outdir });
  const unwritten = bundle.sources.every((path) => changedAt(path) < began);
  // Whether a file that was written meanwhile went in before or after, nobody knows.
  if (unwritten) {
    made.set(key, {
      bundle: moved(bundle, (folder) => relative(outdir, folder)),
      code: new Map(filesIn(outdir).map((name) => [name, readFileSync(join(outdir, name))])),
      sources: new Map(bundle.sources.map((path) => [path, stateOf(path)])),
    });
  }
  return bundle;
}

const moved = (bundle: Bundle, move: (folder: string) => string): Bundle => ({
  ...bundle,
  runner: move(bundle.runner),
  gate: move(bundle.gate),
  worker: bundle.worker === null ? null : move(bundle.worker),
});

/** Null where there is no such folder: the bundling then says so. */
function namesIn(directory: string): readonly string[] | null {
  try {
    return readdirSync(directory).sort();
  } catch {
    return null;
  }
}

const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));

function stateOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.ino} ${found.size} ${found.mtimeMs}`;
}

const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
