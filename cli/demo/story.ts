import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One deploy of the demo, and how it has to end. */
export interface Chapter {
  readonly deploy: number;
  readonly title: string;
  /** Leaves the last files of `migrations/` out, as if they were not written yet. */
  readonly withoutLast: number;
  /** Folder in `releases/` with migrations that only this deploy has. */
  readonly extra: 'broken' | 'mended' | null;
  /** Beginning of the logical id of a resource that is made to fail, and the reason it shall give. */
  readonly fail: Readonly<Record<string, string>>;
  readonly expected: {
    readonly status: string;
    /** How the forward run ends. */
    readonly outcome: 'applied' | 'rolled-back';
    readonly applied: readonly string[];
    /** Where the number of calls is a promise. */
    readonly dataApiCalls?: number;
    /** How far the rollback leaves the database ahead. */
    readonly ahead?: readonly string[];
  };
}

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

const RELEASES = fileURLToPath(new URL('releases', import.meta.url));

const ids = readdirSync(MIGRATIONS)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replace(/\.ts$/, ''))
  .sort();
const head = ids.at(-1) ?? 'base';

export const STORY: readonly Chapter[] = [
  {
    deploy: 1,
    title: `the first release: ${ids.length - 1} migrations, then the app`,
    withoutLast: 1,
    extra: null,
    fail: {},
    expected: { status: 'CREATE_COMPLETE', outcome: 'applied', applied: ids.slice(0, -1) },
  },
  {
    deploy: 2,
    title: 'only the app changed: the database is asked once',
    withoutLast: 1,
    extra: null,
    fail: {},
    expected: { status: 'UPDATE_COMPLETE', outcome: 'applied', applied: [], dataApiCalls: 1 },
  },
  {
    deploy: 3,
    title: 'one new migration',
    withoutLast: 0,
    extra: null,
    fail: {},
    expected: { status: 'UPDATE_COMPLETE', outcome: 'applied', applied: [head] },
  },
  {
    deploy: 4,
    title: 'a migration that fails half-way',
    withoutLast: 0,
    extra: 'broken',
    fail: {},
    expected: { status: 'UPDATE_ROLLBACK_COMPLETE', outcome: 'rolled-back', applied: [], ahead: [] },
  },
  {
    deploy: 5,
    title: 'the migration is mended, but the app does not come up',
    withoutLast: 0,
    extra: 'mended',
    fail: {
      AppAliaslive: 'the new version of the app did not become healthy (made to fail by this rehearsal)',
    },
    expected: {
      status: 'UPDATE_ROLLBACK_COMPLETE',
      outcome: 'applied',
      applied: ['0009_add_slugs'],
      ahead: ['0009_add_slugs'],
    },
  },
];

/** Writes the migrations of one release into a folder of its own, and returns it. */
export function writeRelease({ deploy, withoutLast, extra }: Chapter, below: string): string {
  const directory = join(below, `release-${deploy}`, 'migrations');
  mkdirSync(directory, { recursive: true });
  const left = new Set(ids.slice(ids.length - withoutLast).map((id) => `${id}.ts`));
  cpSync(MIGRATIONS, directory, {
    recursive: true,
    filter: (source) => !left.has(source.slice(MIGRATIONS.length + 1)),
  });
  if (extra !== null) cpSync(join(RELEASES, extra), directory, { recursive: true });
  return directory;
}
