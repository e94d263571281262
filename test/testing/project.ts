import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { finish, ROOT, type Ended } from '../child.ts';

/** A project of a user's, in a folder of its own. */
export interface Project {
  readonly folder: string;
  /** Where its processes keep temporary files, and nobody else does. */
  readonly temporary: string;
  write(file: string, text: string): void;
  /** Runs Node in it, as its user would: nothing tells it of the test that runs here. */
  node(...args: readonly string[]): Promise<Ended>;
  remove(): void;
}

/** What a spec imports; in an installed package it is `forerun/testing`. */
export const KIT = join(ROOT, 'testing/index.ts');

export function makeProject(files: Readonly<Record<string, string>>): Project {
  const folder = mkdtempSync(join(tmpdir(), 'forerun-project-'));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  // Root starts PostgreSQL as another user, who must get there.
  chmodSync(folder, 0o755);
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  write('package.json', '{ "type": "module" }');
  for (const [file, text] of Object.entries(files)) write(file, text);
  const foreign = Object.keys(process.env).filter((name) => /^(?:VITEST|NODE_TEST|JEST|TEST$)/.test(name));
  const env = { ...Object.fromEntries(foreign.map((name) => [name, ''])), TMPDIR: temporary };
  return {
    folder,
    temporary,
    write,
    node: (...args) => finish(process.execPath, args, { cwd: folder, env }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A history of three whose last one gives every article a slug. */
export const HISTORY: Readonly<Record<string, string>> = {
  'migrations/0001_articles.ts': `import { migration } from 'forerun';
export default migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table articles (id bigint primary key, title text not null)');
  },
  async down({ op }) {
    await op.execute('drop table articles');
  },
});`,
  'migrations/0002_add_slug.ts': `import { migration } from 'forerun';
export default migration({
  after: '0001_articles',
  async up({ op }) {
    await op.execute('alter table articles add column slug text');
    await op.execute("update articles set slug = lower(replace(title, ' ', '-'))");
    await op.execute('alter table articles alter column slug set not null');
    await op.execute('create unique index articles_slug on articles (slug)');
  },
  async down({ op }) {
    await op.execute('alter table articles drop column slug');
  },
});`,
  'migrations/0003_forget.ts': `import { irreversible, migration } from 'forerun';
export default migration({
  after: '0002_add_slug',
  async up({ op }) {
    await op.execute('delete from articles where id < 0');
  },
  down: irreversible('they are gone'),
});`,
};

/** Tests of that history; \`runner\` is what the spec imports of its test runner. */
export const SPEC = `
import { strict as assert } from 'node:assert';
import { testHistory, testMigration } from '${KIT}';

testMigration('0002_add_slug', {
  before: async ({ db }) => db.insertInto('articles').values({ id: 1, title: 'Hello World' }).execute(),
  after: async ({ db, op }) => {
    const found = await db.selectFrom('articles').selectAll().execute();
    assert.deepEqual(found, [{ id: 1n, title: 'Hello World', slug: 'hello-world' }]);
    await assert.rejects(op.execute("insert into articles values (2, 'x', 'hello-world')"), /duplicate key/);
  },
  down: true,
  reverted: async ({ db }) => {
    assert.deepEqual(await db.selectFrom('articles').selectAll().execute(), [{ id: 1n, title: 'Hello World' }]);
  },
});

testMigration('0002_add_slug', {
  name: 'a second look',
  after: async ({ db }) => assert.deepEqual(await db.selectFrom('articles').selectAll().execute(), []),
});

testHistory();
`;
