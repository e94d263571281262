import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bundle, bundle, bundleSync } from '../../infra/bundle.ts';
import { ForerunError } from '../../lambda/engine/errors.ts';
import { type Files, folderOf, makeFolder, migrationText } from './folder.ts';

const TWO: Files = {
  '0001_first.ts': migrationText('base'),
  '0002_second.ts': migrationText('0001_first'),
};

describe('bundle', () => {
  // The temporary folder of a test is its own, so that what is left behind is seen.
  let temporary: { path: string; remove: () => void };
  const before = process.env.TMPDIR;

  beforeEach(() => {
    temporary = makeFolder({}, 'temporary');
    process.env.TMPDIR = temporary.path;
  });

  afterEach(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    temporary.remove();
  });

  it('reads the history and writes the code of runner and gate', () => {
    const made = bundleFiles(TWO);
    expect(made).toMatchObject({
      head: '0002_second',
      migrations: [
        { id: '0001_first', after: [] },
        { id: '0002_second', after: ['0001_first'] },
      ],
    });
    expect(made.digest).toMatch(/^[0-9a-f]{64}$/);
    for (const { checksum } of made.migrations) expect(checksum).toMatch(/^v1:[0-9a-f]{32}$/);
    expect(readdirSync(made.runner)).toEqual(['index.mjs', 'places.json']);
    expect(readdirSync(made.gate)).toEqual(['index.mjs']);
  });

  it('makes the same of it for those who can wait', async () => {
    const directory = folderOf(TWO);
    const { runner: syncRunner, gate: syncGate, ...sync } = bundleSync({ directory, outdir: newFolder() });
    const { runner, gate, ...async } = await bundle({ directory, outdir: newFolder() });
    expect(async).toEqual(sync);
    expect(sameCode(runner, syncRunner)).toBe(true);
    expect(sameCode(gate, syncGate)).toBe(true);
  });

  it('writes the same bytes for the same migrations in another folder', () => {
    const [one, other] = [bundleFiles(TWO), bundleFiles(TWO)];
    expect(one.digest).toBe(other.digest);
    expect(sameCode(one.runner, other.runner)).toBe(true);
    expect(sameCode(one.gate, other.gate)).toBe(true);
  });

  it('lets no path of this machine into the code', () => {
    const directory = folderOf(TWO);
    const { runner, gate } = bundleSync({ directory, outdir: newFolder() });
    for (const path of [directory, process.cwd(), temporary.path]) {
      expect(holds(runner, path)).toBe(false);
      expect(holds(gate, path)).toBe(false);
    }
  });

  it('writes modules that load and export a handler', async () => {
    const { runner, gate } = bundleFiles(TWO);
    for (const folder of [runner, gate]) {
      const module: unknown = await import(pathToFileURL(join(folder, 'index.mjs')).href);
      expect(module).toMatchObject({ handler: expect.any(Function) });
    }
  });

  it('puts ids, parents, checksums and statements into the runner, and none of it into the gate', () => {
    const { runner, gate, digest, migrations } = bundleFiles({
      ...TWO,
      '0003_third.ts': migrationText('0002_second', 'select 4711'),
    });
    const wanted = [digest, 'select 4711', ...migrations.flatMap(({ id, checksum }) => [id, checksum])];
    for (const text of wanted) {
      expect(holds(runner, text)).toBe(true);
      expect(holds(gate, text)).toBe(false);
    }
  });

  it('changes the digest with a parent, an id or a checksum, and with nothing else', () => {
    const digests = [
      TWO,
      { ...TWO, '0002_second.ts': migrationText('0001_first', 'select 2') },
      { '0001_first.ts': migrationText('base'), '0002_zweite.ts': migrationText('0001_first') },
      { '0001_first.ts': migrationText('0002_second'), '0002_second.ts': migrationText('base') },
    ].map((files) => bundleFiles(files).digest);
    expect(new Set(digests).size).toBe(4);
    const unrelated = { ...TWO, 'readme.md': '# How to', '0002_second.test.ts': 'boom(' };
    expect(bundleFiles(unrelated).digest).toBe(digests[0]);
  });

  it('takes modules of every kind and leaves other files alone', () => {
    const { migrations } = bundleFiles({
      '1.ts': migrationText('base'),
      '2.mts': migrationText('1'),
      '3.js': migrationText('2'),
      '4.mjs': migrationText('3'),
      '_shared.ts': 'export const shared = 1;',
      '.hidden.ts': 'boom(',
      'types.d.ts': 'declare const x: 1;',
      '4.spec.ts': 'boom(',
      'rows.json': 'not even JSON',
      'folder.ts/inside.ts': 'boom(',
    });
    expect(migrations.map(({ id }) => id)).toEqual(['1', '2', '3', '4']);
  });

  it('joins two lines of history', () => {
    const { migrations, head } = bundleFiles({
      'a.ts': migrationText('base'),
      'b.ts': migrationText('a'),
      'c.ts': migrationText('a'),
      'd.ts': migrationText('b').replace('"b"', '["b", "c"]'),
    });
    expect(head).toBe('d');
    expect(migrations.at(-1)?.after).toEqual(['b', 'c']);
  });

  it('reads a folder through a symbolic link', () => {
    const link = join(folderOf(), 'link');
    symlinkSync(folderOf(TWO), link);
    expect(bundleSync({ directory: link, outdir: newFolder() }).digest).toBe(bundleFiles(TWO).digest);
  });

  it('bundles packages that only know require', async () => {
    const { runner } = bundleFiles({
      '1.ts': `import { sep } from 'separator';\nglobalThis.separator = sep;\n${migrationText('base')}`,
      'node_modules/separator/package.json': '{ "name": "separator", "main": "index.cjs" }',
      'node_modules/separator/index.cjs': `exports.sep = require('node:path').sep;`,
    });
    await import(pathToFileURL(join(runner, 'index.mjs')).href);
    expect(Reflect.get(globalThis, 'separator')).toBe('/');
    Reflect.deleteProperty(globalThis, 'separator');
  });

  it('is not disturbed by what a module prints, starts or leaves open', () => {
    const noisy = `console.log('{"kind":"crashed"}');\nsetInterval(() => {}, 1000);\n${migrationText('base')}`;
    expect(bundleFiles({ '1.ts': noisy }).head).toBe('1');
  });

  it('leaves nothing in the temporary folder', async () => {
    const directory = folderOf(TWO);
    bundleSync({ directory, outdir: newFolder() });
    await bundle({ directory, outdir: newFolder() });
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  const start = "import { migration } from 'forerun';\n";
  const loadAdvice = 'Work belongs into up and down; the rest of the module must load without a database.';
  const end = "export default migration({ after: 'base' or the id before it, up, down })";

  const refusals: readonly (readonly [
    behaviour: string,
    files: Files,
    code: string,
    what: string,
    next: string,
  ])[] = [
    [
      'a module that throws while it loads, with the line that threw',
      { ...TWO, '0002_second.ts': `${start}\nthrow new TypeError('no luck');\n` },
      'migration-not-loadable',
      'migrations/0002_second.ts threw while it was loaded: TypeError: no luck (migrations/0002_second.ts:3:7).',
      loadAdvice,
    ],
    [
      'a module that throws what is no error',
      { '1.ts': `throw 'a fit';` },
      'migration-not-loadable',
      'migrations/1.ts threw while it was loaded: a fit.',
      loadAdvice,
    ],
    [
      'a module that ends the process',
      { ...TWO, '0002_second.ts': 'process.exit(7);' },
      'migration-not-loadable',
      'migrations/0002_second.ts ended the process with exit code 7 while it was loaded.',
      loadAdvice,
    ],
    [
      'a module that waits for ever',
      { ...TWO, '0002_second.ts': 'await new Promise(() => {});' },
      'migration-not-loadable',
      'migrations/0002_second.ts waited at its top level for something that never comes while it was loaded.',
      loadAdvice,
    ],
    [
      'a module without a default export',
      { '1.ts': 'export const up = 1;' },
      'migration-not-a-migration',
      'migrations/1.ts has no default export.',
      `End it with: ${end}. What is no migration belongs into a subfolder, or gets a name that begins with "_".`,
    ],
    [
      'a default export that is an object of its own making',
      { '1.ts': `export default { after: 'base', up() {}, down() {} };` },
      'migration-not-a-migration',
      'The default export of migrations/1.ts is an object, not a migration.',
      `Make it with migration from 'forerun': ${end}.`,
    ],
    [
      'a default export that is a function',
      { '1.ts': 'export default function up() {}' },
      'migration-not-a-migration',
      'The default export of migrations/1.ts is a function, not a migration.',
      `Make it with migration from 'forerun': ${end}.`,
    ],
    [
      'a syntax error, with a caret under it',
      { ...TWO, '0002_second.ts': `${start}const grüße = 'ü' oops;\n` },
      'migration-not-loadable',
      'migrations/0002_second.ts:2:19: Expected ";" but found "oops".',
      "Mend it here:\n  2 | const grüße = 'ü' oops;\n                        ^",
    ],
    [
      'a missing file, with the file that imports it',
      { '1.ts': `export { b as default } from './_b.ts';\n`, '_b.ts': `export { b } from './_gone.ts';\n` },
      'migration-not-loadable',
      "migrations/_b.ts:1:19 imports './_gone.ts', which is not there.",
      "Correct the path, or remove the import:\n  1 | export { b } from './_gone.ts';\n                        ^",
    ],
    [
      'a missing package',
      { '1.ts': `import gone from 'gone-package';\nexport default gone;\n` },
      'migration-not-loadable',
      "migrations/1.ts:1:18 imports 'gone-package', which is not there.",
      "Install the package, or remove the import:\n  1 | import gone from 'gone-package';\n                       ^",
    ],
    [
      'an id that is not the name of the file',
      {
        '1.ts': migrationText('base').replace('"base"', '"base", id: "one"'),
      },
      'history-bad-id',
      "migrations/1.ts says that its id is 'one', but the id of a migration is its file name, '1'.",
      'Remove the id from the migration, or rename the file.',
    ],
    [
      'two heads',
      { ...TWO, '0003_third.ts': migrationText('0001_first') },
      'history-two-heads',
      "The history has 2 ends: '0002_second' and '0003_third'.",
      "In '0003_third' write after: '0002_second', so that one follows the other; or write a migration that joins them with after: ['0002_second', '0003_third'].",
    ],
    [
      'one id in two files',
      { '1.ts': migrationText('base'), '1.mjs': migrationText('base') },
      'history-duplicate-id',
      "Two migrations are called '1'.",
      "Rename one of the files '1.*' and name the new id in the 'after' of what follows it.",
    ],
    [
      'a file whose name is no plain one',
      { 'my first.ts': migrationText('base') },
      'history-bad-id',
      "'my first' cannot be the id of a migration: an id is 1 to 128 letters, digits, dots, dashes and underscores, and begins with a letter or a digit.",
      "Rename the file, for example to '0001_create_users.ts'.",
    ],
  ];

  it.each(refusals)('refuses %s', (_behaviour, files, code, what, next) => {
    const error = refusalOf(() => bundleFiles(files));
    expect({ code: error.code, ...error.text }).toEqual({
      code,
      what,
      state: 'The database was not touched.',
      next,
    });
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  it('refuses in the same words when it was awaited', async () => {
    const directory = folderOf({ '1.ts': `throw new TypeError('no luck');` });
    const sync = refusalOf(() => bundleSync({ directory, outdir: newFolder() }));
    const waited = await bundle({ directory, outdir: newFolder() }).catch((error: unknown) => error);
    expect(waited).toBeInstanceOf(ForerunError);
    expect(waited).toMatchObject({ code: sync.code, text: sync.text });
    expect(readdirSync(temporary.path)).toEqual([]);
  });

  it('passes on in its own words what the authoring functions refuse', () => {
    const error = refusalOf(() =>
      bundleFiles({ '1.ts': `${start}export default migration({ after: 'base' });` }),
    );
    expect(error.code).toBe('migration-not-a-migration');
    expect(error.text.what).toMatch(/^migrations\/1\.ts: /);
    expect(error.message.match(/The database was not touched\./g)).toHaveLength(1);
  });

  it('says how to write the first migration where there is none', () => {
    const error = refusalOf(() => bundleFiles({ 'readme.md': '' }));
    expect(error.code).toBe('history-empty');
    expect(error.message).toContain('holds no migration.');
    expect(error.message).toContain("export default migration({ after: 'base'");
  });

  it('says that a folder is missing', () => {
    const error = refusalOf(() => bundleSync({ directory: join(folderOf(), 'gone'), outdir: newFolder() }));
    expect(error.code).toBe('history-empty');
    expect(error.text.what).toMatch(/^There is no folder '.*gone' to read migrations from\.$/);
  });

  it('writes nothing where the history is refused', () => {
    const outdir = newFolder();
    const directory = folderOf({ ...TWO, '0003_third.ts': migrationText('0001_first') });
    refusalOf(() => bundleSync({ directory, outdir }));
    expect(existsSync(join(outdir, 'runner'))).toBe(false);
  });
});

function newFolder(): string {
  const folder = join(folderOf(), 'out');
  mkdirSync(folder);
  return folder;
}

function bundleFiles(files: Files): Bundle {
  return bundleSync({ directory: folderOf(files), outdir: newFolder() });
}

// Half a megabyte in a failure's text helps nobody: these say yes or no.
function sameCode(one: string, other: string): boolean {
  return codeIn(one) === codeIn(other);
}

function holds(folder: string, text: string): boolean {
  return codeIn(folder).includes(text);
}

function codeIn(folder: string): string {
  return readFileSync(join(folder, 'index.mjs'), 'utf8');
}

function refusalOf(act: () => unknown): ForerunError {
  try {
    act();
  } catch (error) {
    if (error instanceof ForerunError) return error;
    throw error;
  }
  return expect.unreachable('it was not refused');
}
