import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bundleOnce } from '../../infra/bundle-once.ts';
import { folderOf, migrationText } from './folder.ts';

/** Migrations whose loading can be counted: the module leaves a line each time. */
function counted() {
  const log = join(folderOf({ loaded: '' }), 'loaded');
  const text = (statement: string): string =>
    `import { appendFileSync } from 'node:fs';\nappendFileSync(${JSON.stringify(log)}, 'x');\n${migrationText('base', statement)}`;
  const directory = folderOf({ '0001_first.ts': text('select 1') });
  // Written long before: of a file that is written in the same moment nobody knows whether the bundle has it.
  utimesSync(join(directory, '0001_first.ts'), 1, 1);
  return {
    directory,
    text,
    loads: () => readFileSync(log, 'utf8').length,
    make: (more: Partial<Parameters<typeof bundleOnce>[0]> = {}) =>
      bundleOnce({ directory, outdir: folderOf(), ...more }),
  };
}

it('makes the same bundle once, and writes it wherever it is wanted', () => {
  const { make, loads } = counted();
  const [one, other] = [make({ worker: true }), make({ worker: true })];
  expect(loads()).toBe(1);
  expect(other.digest).toBe(one.digest);
  for (const part of ['runner', 'gate', 'worker'] as const) {
    expect(other[part]).not.toBe(one[part]);
    const [first, second] = [one, other].map((made) => readFileSync(join(String(made[part]), 'index.mjs')));
    expect(second?.equals(first ?? Buffer.alloc(0))).toBe(true);
  }
});

it('makes it anew when a file was written, came or went', () => {
  const { make, loads, directory, text } = counted();
  const first = make();
  writeFileSync(join(directory, '0001_first.ts'), text('select 2'));
  // Even a file that looks as old as the one before.
  utimesSync(join(directory, '0001_first.ts'), 0, 0);
  const changed = make();
  expect(changed.digest).not.toBe(first.digest);
  writeFileSync(join(directory, '0002_second.ts'), migrationText('0001_first'));
  expect(make().head).toBe('0002_second');
  expect(loads()).toBe(3);
});

it('asks again where something else was given, and refuses as often as it is asked', () => {
  const { make, loads } = counted();
  make({ environments: ['dev'] });
  make({ environments: ['dev', 'prod'] });
  expect(loads()).toBe(2);
  const given = { params: '{"nobody":"reads this"}' };
  for (const _ of [1, 2]) expect(() => make({ given })).toThrow('nobody');
  const gone = join(folderOf(), 'gone');
  for (const _ of [1, 2]) expect(() => make({ directory: gone })).toThrow('There is no folder');
});
