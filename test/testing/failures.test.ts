import { readdirSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { HISTORY, KIT, makeProject, type Project } from './project.ts';

let project: Project | undefined;
afterEach(() => {
  project?.remove();
  project = undefined;
});

/** What node:test says of a failing spec over the history with some files changed. */
async function told(spec: string, files: Readonly<Record<string, string>> = {}): Promise<string> {
  project = makeProject({
    ...HISTORY,
    ...files,
    'fails.spec.ts': `import { testHistory, testMigration } from '${KIT}';\n${spec}`,
  });
  const { code, out } = await project.node('--test', '--test-reporter=tap', 'fails.spec.ts');
  expect(code).toBe(1);
  return out;
}

const leavesColumn = {
  'migrations/0002_add_slug.ts': (HISTORY['migrations/0002_add_slug.ts'] ?? '').replace(
    'alter table articles drop column slug',
    'drop index articles_slug',
  ),
};

test('each way to fail a test of a migration is told in words that help', async () => {
  const out = await told(
    `testMigration('0002_add_slug', { name: 'broken down', down: true });
     testMigration('0002_add_slug', {
       name: 'early seed',
       before: async ({ op }) => op.execute("insert into articles (id, slug) values (1, 'a')"),
     });
     testMigration('0002_add_slug', {
       name: 'equal rows',
       before: async ({ db }) =>
         db.insertInto('articles').values([{ id: 1, title: 'A b' }, { id: 2, title: 'a B' }]).execute(),
     });
     testMigration('0002_add_slug', { name: 'own', after: async () => { throw new RangeError('mine'); } });
     testMigration('0003_forget', { down: true });
     testMigration('0009_typo');`,
    leavesColumn,
  );
  expect(out).toContain('down of 0002_add_slug does not lead back; 1 thing differs:');
  expect(out).toContain('- column public.articles.slug is left over: text not null');
  expect(out).toContain('A statement in before of the test of 0002_add_slug failed');
  expect(out).toContain('The database of this test stands at 0001_articles.');
  expect(out).toContain('0002_add_slug failed at statement 4 (SQLSTATE 23505)');
  expect(out).toContain(`name: 'RangeError'`);
  expect(out).toContain('0003_forget cannot be reverted: they are gone.');
  expect(out).toContain('There is no migration "0009_typo" to test.');
  expect(out).toContain('# fail 6');
  expect(readdirSync(project?.temporary ?? '')).toEqual([]);
}, 180_000);

test('the whole history names each migration that does not lead back', async () => {
  const out = await told('testHistory();', {
    ...leavesColumn,
    'migrations/0001_articles.ts': (HISTORY['migrations/0001_articles.ts'] ?? '').replace(
      'drop table articles',
      'truncate articles',
    ),
  });
  expect(out).toContain('down of 0001_articles does not lead back:');
  expect(out).toContain('- table public.articles is left over');
  expect(out).not.toContain('column public.articles.title is left over');
  expect(out).toContain('down of 0002_add_slug does not lead back:');
}, 180_000);

test('two heads fail the tests of the history with the edit that mends them', async () => {
  const out = await told('testHistory();', {
    'migrations/0003_other.ts': HISTORY['migrations/0003_forget.ts'] ?? '',
  });
  expect(out).toContain('The history has 2 ends');
  expect(out).toContain('# fail 3');
}, 180_000);

test('a process that is killed in the middle leaves no server and no data behind', async () => {
  const out = await told(`testMigration('0002_add_slug', {
    after: async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); },
  });`);
  expect(out).toContain('SIGKILL');
  await expect.poll(serverData, { timeout: 20_000 }).toEqual([]);
}, 180_000);

/** Folders of servers that processes of the project started. */
function serverData(): readonly string[] {
  return readdirSync(project?.temporary ?? '').filter((name) => name.startsWith('forerun-postgres-'));
}
