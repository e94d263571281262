import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { readHistory } from '../../lambda/engine/history.ts';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';
import type { Revision } from '../../lambda/engine/migration.ts';
import type { Bundle, BundledRevision, BundleOptions } from '../bundle.ts';
import { checksumOf, sha256 } from './checksum.ts';
import { loadMigrations } from './load-migrations.ts';
import { listMigrationFiles } from './migration-files.ts';
import { writeGate, writeRunner, writeWorker } from './write-code.ts';

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
  const { migrations, inputs } = await loadMigrations(real, {
    directory,
    scratch,
    given: options.given,
    environments: options.environments,
    loading,
  });
  const revisions = await Promise.all(
    migrations.map(async ({ id, after, path, input, phase, repeatable }) => ({
      id,
      after,
      ...(phase === 'after' ? { phase } : {}),
      repeatable,
      checksum: await checksumOf(input, inputs, directory),
      path,
    })),
  );
  const { ordered, head } = readHistory(revisions.filter(({ repeatable }) => !repeatable));
  const repeatables = inOrder(revisions.filter(({ repeatable }) => repeatable));
  const twice = repeatables.find(({ id }) => ordered.some((one) => one.id === id));
  if (twice !== undefined) throw sameId(twice.id);
  const digest = digestOf(ordered, repeatables);
  const contents = { digest, migrations: ordered, repeatables };
  const runner = await writeRunner(contents, { directory, outdir });
  const { worker = migrations.some(({ backfill }) => backfill) } = options;
  const gate = await writeGate({ directory, outdir });
  return {
    head,
    digest,
    migrations: ordered.map(revisionOf),
    repeatables: repeatables.map(revisionOf),
    runner,
    gate,
    worker: worker ? await writeWorker(contents, { directory, outdir }) : null,
    sources: Object.keys(inputs).map((path) => resolve(directory, path)),
  };
}

const revisionOf = ({ id, after, checksum, phase }: BundledRevision): BundledRevision => ({
  id,
  after,
  checksum,
  ...(phase === undefined ? {} : { phase }),
});

/** By file name, which is the only order that people see. */
function inOrder<R extends Revision>(repeatables: readonly R[]): readonly R[] {
  return repeatables.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

/** The phase stands in the checksum too, unless a helper from a package gave it. */
function digestOf(ordered: readonly BundledRevision[], repeatables: readonly BundledRevision[]): string {
  const parts = [...ordered, ...repeatables].map(({ id, after, checksum, phase }) =>
    phase === undefined ? [id, after, checksum] : [id, after, checksum, phase],
  );
  return sha256(JSON.stringify(parts));
}

function sameId(id: string): ForerunError {
  return new ForerunError('history-duplicate-id', {
    what: `A migration and a repeatable are both called '${id}'.`,
    state: UNTOUCHED,
    next: 'Rename one of the files.',
  });
}
