import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { readHistory } from '../../lambda/engine/history.ts';
import type { Revision } from '../../lambda/engine/migration.ts';
import type { Bundle, BundleOptions } from '../bundle.ts';
import { checksumOf, sha256 } from './checksum.ts';
import { loadMigrations } from './load-migrations.ts';
import { listMigrationFiles } from './migration-files.ts';
import { writeGate, writeRunner } from './write-code.ts';

/** What the making of a bundle needs besides its options. */
export interface Workplace {
  /** An empty folder for compiled modules; whoever made it removes it. */
  readonly scratch: string;
  /** Hears the file that is loaded next. */
  readonly loading: (file: string) => void;
}

/** Reads, checks and compiles the migrations of a folder. Runs their top level: give it a process of its own. */
export async function makeBundle(options: BundleOptions, { scratch, loading }: Workplace): Promise<Bundle> {
  const files = listMigrationFiles(resolve(options.directory));
  // esbuild resolves symbolic links, so all paths must be the real ones.
  const directory = realpathSync(options.directory);
  const outdir = resolve(options.outdir);
  const real = files.map(({ id, path }) => ({ id, path: realpathSync(path) }));
  const { migrations, inputs } = await loadMigrations(real, { directory, scratch, loading });
  const revisions = await Promise.all(
    migrations.map(async ({ id, after, path, input }) => ({
      id,
      after,
      checksum: await checksumOf(input, inputs, directory),
      path,
    })),
  );
  const { ordered, head } = readHistory(revisions);
  const digest = digestOf(ordered);
  const runner = await writeRunner({ digest, migrations: ordered }, { directory, outdir });
  const gate = await writeGate({ directory, outdir });
  return {
    head,
    digest,
    migrations: ordered.map(({ id, after, checksum }) => ({ id, after, checksum })),
    runner,
    gate,
  };
}

function digestOf(ordered: readonly Revision[]): string {
  return sha256(JSON.stringify(ordered.map(({ id, after, checksum }) => [id, after, checksum])));
}
