import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { checksumOf } from '../../../infra/bundling/checksum.ts';
import { COMMON_OPTIONS } from '../../../infra/bundling/esbuild-options.ts';
import { importingFiles } from '../../../infra/bundling/file-imports.ts';
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

const withFile = (name: string, text: string): Files => ({
  'a.ts': `import data from './${name}';\nexport default data;\n`,
  [name]: text,
});

const SQL = `create table a (b text, "C" int);
insert into a values ('x  y', -1), (E'\\n', 1.5e3);
create function f() returns int language plpgsql as $$ begin return 1; end; $$;
`;

const CSV = 'code,name\nAT,Austria\nXX,\nYY,""\n';

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

  it('is this very text for these very data files', async () => {
    expect(await checksum(withFile('a.sql', SQL))).toBe('v1:284d10425a5f78e14473883a14431dfe');
    expect(await checksum(withFile('a.csv', CSV))).toBe('v1:9d1a5e7b2367a89f5595d65d0bf291f4');
  });

  const sameData: readonly (readonly [behaviour: string, file: string, from: string | RegExp, to: string])[] =
    [
      ['comments', 'a.sql', /;\n/g, ' /* why */ ; -- so\n'],
      ['blanks and lines between words', 'a.sql', '(b text, "C" int)', '( b   text,\n "C" int )'],
      ['the case of words', 'a.sql', 'create table a', 'CREATE Table A'],
      ['blanks around operators', 'a.sql', ', -1', ',-  1'],
      ['needless semicolons', 'a.sql', /;\n/g, ';;\n\n;'],
      ['no semicolon at the end', 'a.sql', /;\n$/, ''],
      ['line ends of Windows', 'a.sql', /\n/g, '\r\n'],
      ['a byte order mark', 'a.sql', /^/, '\uFEFF'],
      ['needless quotes', 'a.csv', 'Austria', '"Austria"'],
      ['line ends of Windows', 'a.csv', /\n/g, '\r\n'],
      ['a byte order mark', 'a.csv', /^/, '\uFEFF'],
      ['no line end at the end', 'a.csv', /\n$/, ''],
    ];

  it.each(sameData)('stays the same with %s in %s', async (_behaviour, file, from, to) => {
    const text = file === 'a.sql' ? SQL : CSV;
    expect(text.replace(from, to)).not.toBe(text);
    expect(await checksum(withFile(file, text.replace(from, to)))).toBe(await checksum(withFile(file, text)));
  });

  const otherData: typeof sameData = [
    ['another literal', 'a.sql', 'x  y', 'x y'],
    ['another case within a literal', 'a.sql', "'x", "'X"],
    ['another case within a quoted name', 'a.sql', '"C"', '"c"'],
    ['another kind of literal', 'a.sql', "E'", "'"],
    ['another operator', 'a.sql', '-1', '+1'],
    ['another layout within a body', 'a.sql', 'begin return', 'begin  return'],
    ['a statement more', 'a.sql', /$/, 'select 1;'],
    ['one statement less', 'a.sql', /insert.*\n/, ''],
    ['another value', 'a.csv', 'Austria', 'Oesterreich'],
    ['another name', 'a.csv', 'name', 'title'],
    ['another order of rows', 'a.csv', 'XX,\nYY,""', 'YY,""\nXX,'],
    ['the empty text for null', 'a.csv', 'XX,', 'XX,""'],
    ['a blank within a value', 'a.csv', 'Austria', ' Austria'],
  ];

  it.each(otherData)('changes with %s in %s', async (_behaviour, file, from, to) => {
    const text = file === 'a.sql' ? SQL : CSV;
    expect(text.replace(from, to)).not.toBe(text);
    expect(await checksum(withFile(file, text.replace(from, to)))).not.toBe(
      await checksum(withFile(file, text)),
    );
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
    plugins: [importingFiles(directory)],
  });
  return checksumOf('a.ts', metafile.inputs, directory);
}
