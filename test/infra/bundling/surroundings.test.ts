import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundleSync, type Bundle, type GivenParams } from '../../../infra/bundle.ts';
import { finish, ROOT } from '../../child.ts';
import { refusalOf } from '../../authoring/refusal.ts';
import { type Files, folderOf, makeFolder, migrationText } from '../folder.ts';

/** What any library for schemas gives, in its smallest form. */
const SCHEMA = `{ '~standard': { version: 1, vendor: 'test', validate: (given) =>
  typeof given.region === 'string' ? { value: { region: given.region } } : { issues: [{ path: ['region'] }] } } }`;

const ASKING: Files = {
  '0001_first.ts': `import { migration } from 'forerun';
export default migration({ after: 'base', environments: ['prod'], params: ${SCHEMA}, up: async () => {}, down: async () => {} });`,
};

function bundleFiles(files: Files, given?: GivenParams): Bundle {
  const outdir = makeFolder({}, 'out').path;
  return bundleSync({ directory: folderOf(files), outdir, ...(given === undefined ? {} : { given }) });
}

const check = (params: string) =>
  finish(process.execPath, [join(ROOT, 'cli/main.ts'), 'check', folderOf(ASKING), '--params', params]);

describe('parameters, while the bundle is made', () => {
  test('are held against the schema of a migration, and their values are not told', async () => {
    const refusal = await refusalOf(() => bundleFiles(ASKING, { params: '{"region":4711}' }));
    expect(refusal).toBe(
      'params-refused: The parameters do not fit 0001_first: its schema does not take params.region.',
    );
  });

  test.each([
    ['that fit', { params: '{"region":"north"}' }],
    ['for an environment in which it does not run', { params: '{}', environment: 'dev' }],
    ['that nobody gave', undefined],
  ])('%s pass', (_, given) => {
    expect(bundleFiles(ASKING, given).head).toBe('0001_first');
  });

  test('are held against it by forerun check, too', async () => {
    expect(await check('{"region":1}')).toMatchObject({ code: 2 });
    expect(await check('{"region":"north"}')).toMatchObject({ code: 0 });
    const unknown = await check('{"region":"north","batchs":4711}');
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.err).toContain('No migration asks for the parameter "batchs".');
    expect(unknown.err).not.toContain('4711');
    expect((await check('{region')).err).toContain('--params is no JSON');
  });
});

const REPEATABLE = `import { repeatable } from 'forerun';
export default repeatable({ up: async ({ op }) => { await op.execute('select 1'); } });`;

describe('repeatables', () => {
  test('stand outside the history, in the order of their names, and count for the digest', () => {
    const plain = bundleFiles({ '0001_first.ts': migrationText('base') });
    const made = bundleFiles({
      '0001_first.ts': migrationText('base'),
      'zones.ts': REPEATABLE,
      'areas.ts': REPEATABLE,
    });
    expect(made.head).toBe('0001_first');
    expect(made.migrations.map(({ id }) => id)).toEqual(['0001_first']);
    expect(made.repeatables.map(({ id }) => id)).toEqual(['areas', 'zones']);
    expect(made.digest).not.toBe(plain.digest);
  });

  test('may stand alone', () => {
    expect(bundleFiles({ 'areas.ts': REPEATABLE })).toMatchObject({ head: 'base', migrations: [] });
  });
});
