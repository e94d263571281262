import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundleSync } from '../../../infra/bundle.ts';
import { type Files, folderOf, migrationText } from '../folder.ts';
import { refusalTextOf } from './refusal-text.ts';

/** An app with a migration that begins with these lines, bundled. */
function bundled(lines: string, files: Files = {}, link?: readonly [name: string, folder: string]): string {
  const app = folderOf({ 'migrations/0001_users.ts': `${lines}\n${migrationText('base')}`, ...files });
  if (link !== undefined) {
    const place = join(app, 'node_modules', link[0]);
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(join(app, link[1]), place);
  }
  const outdir = join(app, 'out');
  mkdirSync(outdir);
  const [{ checksum } = { checksum: '' }] = bundleSync({
    directory: join(app, 'migrations'),
    outdir,
  }).migrations;
  return checksum;
}

const using = (path: string): string => `import { value } from '${path}';\nglobalThis.value = value;`;
const CODE = 'export const value: number = 1;\n';
const MARKED = '{ "type": "module", "forerun": { "migrations": true } }';

describe('an import from outside of the migrations folder', () => {
  test('of code is refused with the reason, the file, the import and the ways out', async () => {
    const { what, next } = await refusalTextOf(() =>
      bundled(using('../src/user.ts'), { 'src/user.ts': CODE }),
    );
    expect(what).toBe(
      "migrations/0001_users.ts:1:23 imports src/user.ts, which lies outside the migrations folder: a migration must not change when the app's models or settings do.",
    );
    expect(next).toBe(
      `Copy what it needs into the migrations folder (a name that begins with "_" makes no migration), or import types only; code kept for migrations says so in its package.json, "forerun": { "migrations": true }:
  1 | import { value } from '../src/user.ts';
                            ^`,
    );
  });

  interface Case {
    readonly what: string;
    readonly lines: string;
    readonly files: Files;
    readonly link?: readonly [name: string, folder: string];
  }

  const user = { 'src/user.ts': CODE };

  const refused: readonly (Case & { readonly names?: string })[] = [
    {
      what: 'JavaScript',
      lines: using('../src/user.js'),
      files: { 'src/user.js': 'export const value = 1;' },
      names: 'src/user.js',
    },
    {
      what: 'settings',
      lines: `import value from '../src/config.json';\nglobalThis.value = value;`,
      files: { 'src/config.json': '{}' },
      names: 'src/config.json',
    },
    {
      what: 'code through an alias',
      lines: using('@/user'),
      files: { ...user, 'tsconfig.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }' },
    },
    {
      what: 'code by way of a local module',
      lines: using('./_local.ts'),
      files: { ...user, 'migrations/_local.ts': `export * from '../src/user.ts';` },
    },
    {
      what: 'code that does not build either',
      lines: using('../src/user.ts'),
      files: { 'src/user.ts': `import './gone.ts'; const = ;` },
    },
    {
      what: 'code loaded later',
      lines: `export const later = () => import('../src/user.ts');`,
      files: user,
    },
    {
      what: 'a package of the same workspace',
      lines: using('models'),
      files: { 'models/package.json': '{ "name": "models", "main": "index.ts" }', 'models/index.ts': CODE },
      link: ['models', 'models'],
      names: 'models/index.ts',
    },
    {
      what: 'code under a package.json that does not say so',
      lines: using('../src/user.ts'),
      files: { ...user, 'src/package.json': '{ "forerun": { "migrations": "no" } }', 'package.json': MARKED },
    },
  ];

  test.each(refused)('of $what is refused', async ({ lines, files, link, names = 'src/user.ts' }) => {
    const { what } = await refusalTextOf(() => bundled(lines, files, link));
    expect(what).toContain(` imports ${names}, which lies outside the migrations folder`);
  });

  const taken: readonly Case[] = [
    {
      what: 'types',
      lines: `import type { User } from '../src/user.ts';\nexport type U = User;`,
      files: { 'src/user.ts': 'boom(' },
    },
    {
      what: 'what only types use',
      lines: `import { User } from '../src/user.ts';\nexport type U = User;`,
      files: { 'src/user.ts': 'boom(' },
    },
    {
      what: 'a package',
      lines: using('hasher'),
      files: {
        'node_modules/hasher/package.json': '{ "name": "hasher", "main": "index.js" }',
        'node_modules/hasher/index.js': 'export const value = 1;',
      },
    },
    {
      what: 'rows',
      lines: `import rows from '../data/rows.csv';\nglobalThis.value = rows;`,
      files: { 'data/rows.csv': 'a\n1\n' },
    },
    {
      what: 'code kept for migrations',
      lines: using('../kept/deep/user.ts'),
      files: { 'kept/deep/user.ts': CODE, 'kept/package.json': MARKED },
    },
    {
      what: 'a workspace package kept for migrations',
      lines: using('recipes'),
      files: {
        'recipes/package.json':
          '{ "name": "recipes", "main": "index.ts", "forerun": { "migrations": true } }',
        'recipes/index.ts': CODE,
      },
      link: ['recipes', 'recipes'],
    },
  ];

  test.each(taken)('of $what is taken', ({ lines, files, link }) => {
    expect(bundled(lines, files, link)).toMatch(/^v1:/);
  });

  test('of code kept for migrations counts in the checksum', () => {
    const [one, other] = ['1', '2'].map((digit) =>
      bundled(using('../kept/user.ts'), {
        'kept/user.ts': CODE.replace('1', digit),
        'kept/package.json': MARKED,
      }),
    );
    expect(one).not.toBe(other);
  });
});
