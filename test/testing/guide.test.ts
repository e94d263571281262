import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../child.ts';
import { blocks } from '../docs/blocks.ts';
import { HISTORY, KIT, makeProject } from './project.ts';

test('the tests of the guide run, over a history with a statement outside a transaction', async () => {
  const guide = blocks.filter(({ page }) => page === 'docs/testing.md').map(({ code }) => code);
  expect(guide).toHaveLength(3);
  const project = makeProject({
    'migrations/0006_articles.ts': HISTORY['migrations/0001_articles.ts'] ?? '',
    'migrations/0007_add_slug.ts': (HISTORY['migrations/0002_add_slug.ts'] ?? '').replace(
      '0001_articles',
      '0006_articles',
    ),
    'migrations/0008_by_title.ts': `import { migration } from 'forerun';
export default migration({
  after: '0007_add_slug',
  transaction: false,
  async up({ op }) {
    await op.execute('create index concurrently by_title on articles (title)');
  },
  async down({ op }) {
    await op.execute('drop index concurrently by_title');
  },
});`,
    'guide.spec.ts': [
      ...new Set(
        guide
          .join('\n')
          .split('\n')
          .filter((line) => line.startsWith('import ')),
      ),
    ]
      .concat(guide.flatMap((code) => code.split('\n').filter((line) => !line.startsWith('import '))))
      .join('\n'),
    'vitest.config.ts': `export default {
      resolve: { alias: [
        { find: /^forerun$/, replacement: '${join(ROOT, 'lambda/authoring/index.ts')}' },
        { find: /^forerun\\/testing$/, replacement: '${KIT}' },
      ] },
      test: { include: ['guide.spec.ts'] },
    };`,
  });
  try {
    const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
    const { out, err } = await project.node(vitest, 'run', '--reporter=verbose', '--no-color');
    expect(`${out}${err}`).toContain('5 passed');
  } finally {
    project.remove();
  }
}, 180_000);
