import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { checksumOf } from '../../../infra/bundling/checksum.ts';
import { COMMON_OPTIONS } from '../../../infra/bundling/esbuild-options.ts';
import { type Files, folderOf } from '../folder.ts';

const PLAIN: Files = {
  'a.ts': `import { migration } from 'forerun';
import rows from './rows.json' with { type: 'json' };
import { title } from './_titles.ts';
export default migration({ after: 'base', up: ({ op }) => op.execute(title(rows[0])), down: () => 1n });
`,
  '_titles.ts': `import { shout } from './_deep/shout.ts';
export function title(text: string): string { return shout(text); }
`,
  '_deep/shout.ts': `export const shout = (text: string): string => text.toUpperCase();
`,
  'rows.json': `["one", "two"]`,
};

const withPackage = (version: string): Files => ({
  'a.ts': `import { hash } from 'hasher';\nexport default hash;\n`,
  'node_modules/hasher/package.json': '{ "name": "hasher", "main": "index.js" }',
  'node_modules/hasher/index.js': `export const hash = '${version}';\n`,
});

const throughAlias = (text: string): Files => ({
  'tsconfig.json': '{ "compilerOptions": { "paths": { "@own/*": ["./own/*"] } } }',
  'a.ts': `import { b } from '@own/b';\nexport default b;\n`,
  'own/b.ts': `export const b = '${text}';\n`,
});

const inAWorkspace = (version: string): Files => ({
  'app/a.ts': `import { hash } from 'hasher';\nexport default hash;\n`,
  'hasher/package.json': '{ "name": "hasher", "main": "index.js" }',
  'hasher/index.js': `export const hash = '${version}';\n`,
});

const inARound = (text: string): Files => ({
  'a.ts': `import { b } from './_b.ts';\nexport const a = 1;\nexport default b;\n`,
  '_b.ts': `import { a } from './a.ts';\nexport const b = () => [a, '${text}'];\n`,
});

const throughExports = (text: string): Files => ({
  'a.ts': `export * from './_b.ts';\nexport default () => import('./_c.ts');\n`,
  '_b.ts': `export const b = '${text}';\n`,
  '_c.ts': `export const c = '${text}';\n`,
});

const withSql = (sql: string): Files => ({
  'a.ts': `import text from './a.sql';\nexport default text;\n`,
  'a.sql': sql,
});

describe('checksumOf', () => {
  it('is this very text for this very module', async () => {
    // The journals of users hold checksums: a change of these digits declares every applied migration changed.
    expect(await checksum(PLAIN)).toBe('v1:c10fa1199c8d4d794a4e919940c6d635');
  });

  it('does not depend on where the folder lies', async () => {
    expect(await checksum(PLAIN)).toBe(await checksum(PLAIN));
  });

  const same: readonly (readonly [behaviour: string, file: string, from: string | RegExp, to: string])[] = [
    ['a comment', 'a.ts', /^/, '// why this is done\n/* at length */\n'],
    ['a legal comment', '_titles.ts', /^/, '/*! (c) somebody */\n'],
    ['a shebang and blank lines', 'a.ts', /\n/g, '\n\n'],
    ['indentation', 'a.ts', '{ after', '{\n\n      after'],
    ['the kind of quotes', 'a.ts', "'base'", '"base"'],
    ['semicolons', 'a.ts', /;/g, ''],
    ['trailing commas', 'a.ts', '1n }', '1n, }'],
    ['needless parentheses', 'a.ts', 'op.execute(title(rows[0]))', '(op.execute(title((rows[0]))))'],
    ['a type', '_deep/shout.ts', '(text: string): string', '(text: "a" | "b")'],
    ['an interface', 'a.ts', /^/, 'interface Row { readonly id: number }\n'],
    ['a type import', 'a.ts', /^/, "import type { Row } from './_rows.ts';\n"],
    [
      'an import that only types use',
      'a.ts',
      /^/,
      "import { Row } from 'rows';\ntype Rows = readonly Row[];\n",
    ],
    ['line ends of Windows', 'a.ts', /\n/g, '\r\n'],
    ['the layout of imported JSON', 'rows.json', '["one", "two"]', '[\n  "one",\n  "two"\n]\n'],
    ['a comment two imports away', '_deep/shout.ts', /^/, '// loud\n'],
  ];

  it.each(same)('stays the same with %s', async (_behaviour, file, from, to) => {
    expect(await checksum(changed(file, from, to))).toBe(await checksum(PLAIN));
  });

  const different: typeof same = [
    ['another call', 'a.ts', 'execute', 'bulkInsert'],
    ['another text', 'a.ts', "'base'", "'other'"],
    ['another whole number', 'a.ts', '1n', '2n'],
    ['other code one import away', '_titles.ts', 'shout(text)', 'text'],
    ['other code two imports away', '_deep/shout.ts', 'toUpperCase', 'toLowerCase'],
    ['other rows in imported JSON', 'rows.json', 'two', 'three'],
    ['other order in imported JSON', 'rows.json', '["one", "two"]', '["two", "one"]'],
    ['one more import for its effect', 'a.ts', /^/, "import './_titles.ts';\n"],
  ];

  it.each(different)('changes with %s', async (_behaviour, file, from, to) => {
    expect(await checksum(changed(file, from, to))).not.toBe(await checksum(PLAIN));
  });

  it('counts a package by its name, not by what it holds', async () => {
    expect(await checksum(withPackage('1'))).toBe(await checksum(withPackage('2')));
  });

  it('counts a package of the same workspace by its name, too', async () => {
    expect(await checksum(inAWorkspace('1'), 'app')).toBe(await checksum(inAWorkspace('2'), 'app'));
  });

  it('follows an alias of the project like the path it stands for', async () => {
    expect(await checksum(throughAlias('x'))).toBe(await checksum(throughAlias('x')));
    expect(await checksum(throughAlias('x'))).not.toBe(await checksum(throughAlias('y')));
  });

  it('reads modules that import each other', async () => {
    expect(await checksum(inARound('x'))).toBe(await checksum(inARound('x')));
    expect(await checksum(inARound('x'))).not.toBe(await checksum(inARound('y')));
  });

  it('follows re-exports and dynamic imports', async () => {
    const plain = await checksum(throughExports('x'));
    expect(await checksum({ ...throughExports('x'), '_b.ts': throughExports('y')['_b.ts'] ?? '' })).not.toBe(
      plain,
    );
    expect(await checksum({ ...throughExports('x'), '_c.ts': throughExports('y')['_c.ts'] ?? '' })).not.toBe(
      plain,
    );
  });

  it('takes every line of an imported SQL file into account, but not how lines end', async () => {
    expect(await checksum(withSql('select 1\n'))).toBe(await checksum(withSql('select 1\r\n')));
    expect(await checksum(withSql('select 1\n'))).not.toBe(await checksum(withSql('select 2\n')));
  });
});

function changed(file: string, from: string | RegExp, to: string): Files {
  const before = PLAIN[file] ?? '';
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  return { ...PLAIN, [file]: after };
}

async function checksum(files: Files, subfolder = '.'): Promise<string> {
  const root = folderOf(files);
  if (subfolder !== '.') {
    // As a package manager links a workspace.
    mkdirSync(join(root, 'node_modules'));
    symlinkSync(join(root, 'hasher'), join(root, 'node_modules', 'hasher'));
  }
  const directory = join(root, subfolder);
  const { metafile } = await build({
    ...COMMON_OPTIONS,
    absWorkingDir: directory,
    entryPoints: [join(directory, 'a.ts')],
    write: false,
    external: ['forerun', 'rows'],
  });
  return checksumOf('a.ts', metafile.inputs, directory);
}
