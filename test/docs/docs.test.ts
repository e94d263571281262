import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { finish, ROOT } from '../child.ts';
import { openStage, openTheatre } from '../deploy/stage.ts';
import { blocks, links } from './blocks.ts';

test('every TypeScript block compiles', async () => {
  // Below node_modules, so that packages resolve and no other test sees the files.
  const folder = join(ROOT, 'node_modules', `.forerun-docs-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  try {
    const files = blocks.map(({ page, line, code }) => {
      const name = `${page.replaceAll(/\W/g, '_')}_${line}.ts`;
      writeFileSync(join(folder, name), compilable(code));
      return name;
    });
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: '../../tsconfig.json',
        files,
        include: [],
        compilerOptions: { noUnusedLocals: false },
      }),
    );
    const { out } = await finish(process.execPath, [
      join(ROOT, 'node_modules/typescript/bin/tsc'),
      '-p',
      folder,
    ]);
    expect(out).toBe('');
    expect(files.length).toBeGreaterThan(4);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the migrations of the guide run, and the table they tell of is there', async () => {
  const after = blocks.find(({ code }) => code.includes("phase: 'after'"))?.code;
  const [first, second, third, fourth, fifth, repeatable] = blocks
    .filter(({ page }) => page === 'docs/writing-migrations.md')
    .map(({ code }) => code);
  const postgres = await openTheatre();
  const stage = await openStage(postgres);
  try {
    const result = await stage.deploy('docs', {
      '0001_notes.ts': first ?? '',
      '0002_pinned.ts': second ?? '',
      '0003_pages.ts': third ?? '',
      '0004_countries.ts': fourth ?? '',
      '0005_index.ts': fifth ?? '',
      '0006_contract.ts': after ?? '',
      'reference.ts': repeatable ?? '',
      'countries.sql': guideFile('sql'),
      'countries.csv': guideFile('csv'),
    });
    expect(result.reason).toBeUndefined();
    expect(await stage.rows(`select id from forerun.migration order by id`)).toEqual([
      { id: '0001_notes' },
      { id: '0002_pinned' },
      { id: '0003_pages' },
      { id: '0004_countries' },
      { id: '0005_index' },
      { id: '0006_contract' },
    ]);
    expect(await stage.rows(`select code, residents from countries order by code`)).toEqual([
      { code: 'AT', residents: 9_197_213 },
      { code: 'CH', residents: null },
      { code: 'CI', residents: null },
    ]);
  } finally {
    await stage.close();
    await postgres.stop();
  }
});

/** A data file that the guide shows. */
function guideFile(language: string): string {
  const page = readFileSync(join(ROOT, 'docs/writing-migrations.md'), 'utf8');
  return new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';
}

test('the README shows a migration of the demo as it is', () => {
  const source = readFileSync(join(ROOT, 'migrations/0006_publish_finished_articles.ts'), 'utf8');
  const bare = source
    .split('\n')
    .filter((line) => !line.startsWith('//'))
    .join('\n')
    .trim();
  expect(blocks.find(({ page }) => page === 'README.md')?.code.trim()).toBe(bare);
});

test('every link leads somewhere', () => {
  const broken = links.filter(({ page, target }) => !existsSync(join(ROOT, dirname(page), target)));
  expect(broken).toEqual([]);
  expect(links.length).toBeGreaterThan(10);
});

/** A snippet of a stack stands in its constructor, with what the reader has around it. */
function compilable(code: string): string {
  if (!code.includes('new Migrations(this')) return code;
  const imports = code.match(/^import .*$/gm) ?? [];
  const body = code.replaceAll(/^import .*$/gm, '');
  return `import type { Construct } from 'constructs';
import { Stack } from 'aws-cdk-lib';
import type { Alias } from 'aws-cdk-lib/aws-lambda';
import type { DatabaseCluster } from 'aws-cdk-lib/aws-rds';
${imports.join('\n')}
export class Snippet extends Stack {
  constructor(scope: Construct, cluster: DatabaseCluster, liveAlias: Alias) {
    super(scope, 'Snippet');
    ${body}
  }
}
`;
}
