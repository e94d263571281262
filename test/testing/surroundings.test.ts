import { expect, test } from 'vitest';
import { KIT, makeProject } from './project.ts';

test('a test says in which environment its migrations run, and with which params', async () => {
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
testHistory({ environment: 'prod', params: { unused: 'value' } });
`,
  });
  try {
    const { out } = await project.node('--test', '--test-reporter=tap', 'dev.spec.ts');
    expect(out).toContain('# pass 5');
  } finally {
    project.remove();
  }
}, 180_000);
