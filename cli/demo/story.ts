import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** One deploy of the demo, and how it has to end. */
export interface Chapter {
  readonly deploy: number;
  readonly title: string;
  /** Leaves the last files of `migrations/` out, as if they were not written yet. */
  readonly withoutLast: number;
  /** Migrations that only this deploy has: file name and text. */
  readonly extra: Readonly<Record<string, string>>;
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

const ids = readdirSync(MIGRATIONS)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replace(/\.ts$/, ''))
  .sort();
const head = ids.at(-1) ?? 'base';

const BROKEN = `
import { migration } from 'forerun';

export default migration({
  after: '${head}',
  async up({ op }) {
    await op.execute('update users set credit = credit + 5');
    await op.execute('alter table articles add column slug text not null');
  },
  async down({ op }) {
    await op.execute('alter table articles drop column slug');
    await op.execute('update users set credit = credit - 5');
  },
});
`;

const MENDED = `
import { migration } from 'forerun';

export default migration({
  after: '${head}',
  // The release before knows nothing of slugs and does not need to.
  compatible: true,
  async up({ op }) {
    await op.execute('alter table articles add column slug text');
    await op.execute(\`update articles set slug = lower(replace(title, ' ', '-'))\`);
  },
  async down({ op }) {
    await op.execute('alter table articles drop column slug');
  },
});
`;

export const STORY: readonly Chapter[] = [
  {
    deploy: 1,
    title: `the first release: ${ids.length - 1} migrations, then the app`,
    withoutLast: 1,
    extra: {},
    fail: {},
    expected: { status: 'CREATE_COMPLETE', outcome: 'applied', applied: ids.slice(0, -1) },
  },
  {
    deploy: 2,
    title: 'only the app changed: the database is asked once',
    withoutLast: 1,
    extra: {},
    fail: {},
    expected: { status: 'UPDATE_COMPLETE', outcome: 'applied', applied: [], dataApiCalls: 1 },
  },
  {
    deploy: 3,
    title: 'one new migration',
    withoutLast: 0,
    extra: {},
    fail: {},
    expected: { status: 'UPDATE_COMPLETE', outcome: 'applied', applied: [head] },
  },
  {
    deploy: 4,
    title: 'a migration that fails half-way',
    withoutLast: 0,
    extra: { '0009_add_slugs.ts': BROKEN },
    fail: {},
    expected: { status: 'UPDATE_ROLLBACK_COMPLETE', outcome: 'rolled-back', applied: [], ahead: [] },
  },
  {
    deploy: 5,
    title: 'the migration is mended, but the app does not come up',
    withoutLast: 0,
    extra: { '0009_add_slugs.ts': MENDED },
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
  for (const [name, text] of Object.entries(extra)) writeFileSync(join(directory, name), text);
  return directory;
}
