import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Happening } from '../../cli/rehearsal/happening.ts';
import { standingInDemo } from '../../cli/demo/rehearse-demo.ts';
import { narrator } from '../../cli/rehearsal/narrate.ts';
import { finish, type Ended } from '../child.ts';

let ended: Ended;
let told: readonly Happening[];
let before: readonly string[];

const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('forerun-demo-'));

beforeAll(async () => {
  before = leftovers();
  ended = await finish(process.execPath, ['cli/demo/main.ts', '--json']);
  told = ended.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Happening);
}, 120_000);

function only<T extends Happening['type']>(type: T): readonly Extract<Happening, { type: T }>[] {
  return told.filter((one): one is Extract<Happening, { type: T }> => one.type === type);
}

describe('npm start', () => {
  test('goes as told and exits with 0', () => {
    expect(ended.err).toBe('');
    expect(only('end')).toMatchObject([{ asTold: true, wrong: [] }]);
    expect(ended.code).toBe(0);
  });

  test('leaves nothing behind in the temporary folder', () => {
    expect(leftovers()).toEqual(before);
  });

  test('ends its five deploys as the story says', () => {
    expect(only('end-of-deploy').map(({ deploy, status }) => `${deploy} ${status}`)).toEqual([
      '1 CREATE_COMPLETE',
      '2 UPDATE_COMPLETE',
      '3 UPDATE_COMPLETE',
      '4 UPDATE_ROLLBACK_COMPLETE',
      '5 UPDATE_ROLLBACK_COMPLETE',
    ]);
  });

  test('asks the database once when nothing is to be done', () => {
    const second = only('run').find(({ deploy }) => deploy === 2);
    expect(second).toMatchObject({ outcome: 'applied', applied: [], dataApiCalls: 1 });
  });

  test('moves the alias only after the migrations, in every deploy that gets so far', () => {
    for (const deploy of [1, 2, 3]) {
      const events = only('resource').filter(
        (event) => event.deploy === deploy && event.status.endsWith('_COMPLETE'),
      );
      const at = (id: string): number => events.findIndex(({ logicalId }) => logicalId.startsWith(id));
      expect(events[at('Migrations23')]?.resourceType).toBe('Custom::ForerunMigrations');
      expect(at('Migrations23')).toBeLessThan(at('AppAlias'));
    }
  });

  test('leaves nothing of the migration that fails half-way, and does not touch the app', () => {
    const fourth = only('resource').filter(({ deploy }) => deploy === 4);
    expect(fourth.some(({ logicalId }) => logicalId.startsWith('AppAlias'))).toBe(false);
    expect(fourth.find(({ status }) => status === 'UPDATE_FAILED')?.reason).toContain(
      '0009_add_slugs failed at statement 2',
    );
    const users = only('rows').find(({ table }) => table === 'users');
    expect(users?.rows.map(({ credit }) => credit)).toEqual(['0.00', '0.00', '0.00']);
  });

  test('reads back what the migrations wrote', () => {
    const articles = only('rows').find(({ table }) => table === 'articles')?.rows ?? [];
    expect(articles.map(({ id, price, is_published }) => [id, price, is_published])).toEqual([
      [1, '1.50', true],
      [2, '2.00', true],
      [3, '0.00', false],
      [4, '3.25', true],
      [5, '1.75', true],
      [6, '1.98', true],
      [7, '8.20', false],
      [8, '4.70', true],
    ]);
  });

  test('is shown in the README as it is', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    const shown = /```text\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const lines: string[] = [];
    const tell = narrator((line) => lines.push(...line.split('\n')), standingInDemo);
    told.forEach(tell);
    const said = lines.slice(
      0,
      lines.findIndex((line) => line.startsWith('By hand')),
    );
    expect(timeless(shown.split('\n').slice(1).join('\n'))).toBe(timeless(said.join('\n')));
  });
});

/** Times, dates, ids and line breaks differ from run to run. */
function timeless(text: string): string {
  return text
    .replaceAll(/\d+\.\d s/g, 'T')
    .replaceAll(/\d{4}\/\d\d\/\d\d\/\[\d+\]\w+/g, 'STREAM')
    .replaceAll(/[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g, 'ID')
    .replaceAll(/-[0-9A-F]{12}\b/g, '-SUFFIX')
    .replaceAll(/\s+/g, ' ')
    .trim();
}
