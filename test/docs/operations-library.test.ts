import { expect, test } from 'vitest';
import { openStage, openTheatre } from '../deploy/stage.ts';
import { blocks } from './blocks.ts';

const NAMES = [
  '0001_shop',
  '0002_slugs',
  '0003_constraints',
  '0004_headlines',
  '0005_begin_rename',
  '0006_finish_rename',
];

test('the migrations of the page on operations are deployed, and go all the way back', async () => {
  const codes = blocks.filter(({ page }) => page === 'docs/operations-library.md').map(({ code }) => code);
  expect(codes).toHaveLength(NAMES.length);
  const postgres = await openTheatre();
  const stage = await openStage(postgres);
  try {
    const files = Object.fromEntries(NAMES.map((name, at) => [`${name}.ts`, codes[at] ?? '']));
    const result = await stage.deploy('docs', files);
    expect(result.reason).toBeUndefined();
    expect(await stage.rows('select id from forerun.migration order by id')).toEqual(
      NAMES.map((id) => ({ id })),
    );
    expect(await stage.rows('select * from headlines order by id')).toEqual([
      { id: 1, headline: 'FIRST' },
      { id: 2, headline: 'SECOND' },
    ]);
    expect(await stage.rows('select full_name from users order by id')).toEqual([
      { full_name: 'Ada' },
      { full_name: 'Alan' },
    ]);
    expect(stage.runnerLog()).toContain('index slugs: of articles');
    expect(await stage.invoke({ action: 'plan', direction: 'down', to: '0003_constraints' })).toMatchObject({
      plan: {
        operations: { '0004_headlines': ['replace function: shout(text)', 'replace view: headlines'] },
      },
    });
    expect(await stage.invoke({ action: 'down', to: 'base', confirm: 'app' })).toMatchObject({ ok: true });
    expect(await stage.rows(`select to_regclass('articles')::text as articles`)).toEqual([
      { articles: null },
    ]);
  } finally {
    await stage.close();
    await postgres.stop();
  }
});
