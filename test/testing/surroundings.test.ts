import { expect, test } from 'vitest';
import { KIT, makeProject } from './project.ts';

test('a test says in which environment its migrations run, with which params and secrets', async () => {
  const project = makeProject({
    'migrations/0001_seed.ts': `import { migration } from 'forerun';
export default migration({
  after: 'base',
  environments: ['dev'],
  async up({ op }) {
    await op.execute('create table seeds (id int)');
  },
  async down({ op }) {
    await op.execute('drop table seeds');
  },
});`,
    'migrations/0002_told.ts': `import { migration, secret } from 'forerun';
export default migration({
  after: '0001_seed',
  params: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } },
  secrets: { key: secret('app/key', 'text') },
  async up({ op, secrets }) {
    await op.execute('create table told (length int)');
    await op.execute('insert into told values (length(:key))', { key: secrets.key });
  },
  async down({ op }) {
    await op.execute('drop table told');
  },
});`,
    'dev.spec.ts': `
import { strict as assert } from 'node:assert';
import { testHistory, testMigration } from '${KIT}';
const tables = (op) => op.query("select tablename::text from pg_tables where schemaname = 'public'");
testMigration('0001_seed', {
  environment: 'dev',
  down: true,
  after: async ({ op }) => assert.deepEqual(await tables(op), [{ tablename: 'seeds' }]),
});
testMigration('0001_seed', {
  name: 'elsewhere',
  environment: 'prod',
  after: async ({ op }) => assert.deepEqual(await tables(op), []),
});
testMigration('0002_told', {
  environment: 'prod',
  secrets: { 'app/key': '{"text":"twelve chars"}' },
  after: async ({ op }) => assert.deepEqual(await op.query('select length from told'), [{ length: 12 }]),
});
testHistory({ environment: 'prod', params: { unused: 'value' }, secrets: { 'app/key': '{"text":"x"}' } });
`,
  });
  try {
    const { out } = await project.node('--test', '--test-reporter=tap', 'dev.spec.ts');
    expect(out).toContain('# pass 6');
  } finally {
    project.remove();
  }
}, 180_000);
