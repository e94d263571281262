import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { bundleSync } from '../../../infra/bundle.ts';
import { finish } from '../../child.ts';
import { type Files, folderOf, migrationText } from '../folder.ts';
import { refusalTextOf } from './refusal-text.ts';

/** Bundles a folder of migrations and gives the path of the runner's module. */
function runnerOf(files: Files): string {
  const directory = folderOf(files);
  const outdir = join(folderOf(), 'out');
  mkdirSync(outdir);
  return join(bundleSync({ directory, outdir }).runner, 'index.mjs');
}

const importing = (file: string): Files => ({
  '0001_seed.ts': `import data from '${file}';\nglobalThis.imported = data;\n${migrationText('base')}`,
});

/** What a migration sees of a file that it imports, once the runner has loaded. */
async function seen(file: string, text: string): Promise<unknown> {
  await import(pathToFileURL(runnerOf({ ...importing(`./${file}`), [file]: text })).href);
  return Reflect.get(globalThis, 'imported');
}

describe('an imported file', () => {
  test('of SQL is its statements', async () => {
    expect(await seen('data/seed.sql', '-- one\nselect 1;\nselect 2;\n')).toEqual({
      file: 'data/seed.sql',
      statements: [
        { line: 2, sql: 'select 1' },
        { line: 3, sql: 'select 2' },
      ],
    });
  });

  test('of CSV is its rows, which nobody can change', async () => {
    const rows = await seen('rows.csv', 'id,__proto__\n1,""\n2,\n');
    expect(JSON.stringify(rows)).toBe('[{"id":"1","__proto__":""},{"id":"2","__proto__":null}]');
    expect(Object.isFrozen(rows)).toBe(true);
  });

  test('of JSON is its value', async () => {
    expect(await seen('rows.json', '[{ "a": 9007199254740991 }]')).toEqual([{ a: 9_007_199_254_740_991 }]);
  });

  test.each([
    ['seed.sql', "select 1;\nselect 'abc", `2:8: unterminated quoted string at or near "'abc".`],
    ['rows.csv', 'a,b\n1\n', '2: the row has 1 field, the first line has 2 fields.'],
    [
      'rows.json',
      '[12345678901234567890]',
      '1:2: this number has more digits than JavaScript keeps, and would be rounded.',
    ],
  ])('%s stops the build where it is broken', async (file, text, what) => {
    const refusal = await refusalTextOf(() => runnerOf({ ...importing(`./${file}`), [file]: text }));
    expect(refusal.what).toBe(`migrations/${file}:${what}`);
  });

  test('brings neither parser into the runner, and names columns once', () => {
    const code = readFileSync(
      runnerOf({
        ...importing('./rows.csv'),
        '0002_sql.ts': `import s from './s.sql';\nglobalThis.s = s;\n${migrationText('0001_seed')}`,
        's.sql': 'select 1;',
        'rows.csv': 'remarkable_name\n1\n2\n3\n',
      }),
      'utf8',
    );
    expect(code).not.toMatch(/wasm|CSV_QUOTE_NOT_CLOSED/i);
    expect(code.match(/remarkable_name/g)).toHaveLength(1);
  });

  test.each([
    ['loads the parser of PostgreSQL', 'seed.sql', 'select 1;', true],
    ['leaves the parser of PostgreSQL alone', 'rows.json', '[]', false],
  ])('%s where the history has %s', async (_behaviour, file, text, loads) => {
    const directory = folderOf({ ...importing(`./${file}`), [file]: text });
    const scratch = folderOf();
    const { out, err } = await finish(
      process.execPath,
      ['--input-type=module', '--eval', TELLING_OF_THE_PARSER],
      {
        env: { WORKER: JSON.stringify({ directory, outdir: join(scratch, 'out'), scratch }) },
      },
    );
    expect(err).toBe('');
    expect(out.includes('parser loaded')).toBe(loads);
    expect(out).toContain('bundled 0001_seed');
  });
});

const TELLING_OF_THE_PARSER = `
import { registerHooks } from 'node:module';
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'libpg-query') console.log('parser loaded');
    return next(specifier, context);
  },
});
const { scratch, ...options } = JSON.parse(process.env.WORKER);
const { makeBundle } = await import('./infra/bundling/make-bundle.ts');
const { head } = await makeBundle(options, { scratch, loading: () => undefined });
console.log('bundled ' + head);
`;
