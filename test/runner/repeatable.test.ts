import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { integer, jsonb, json, text } from '../../lambda/authoring/column-types.ts';
import { irreversible } from '../../lambda/authoring/irreversible.ts';
import { migration } from '../../lambda/authoring/migration.ts';
import { repeatable } from '../../lambda/authoring/repeatable.ts';
import type { SyncOptions, SyncResult } from '../../lambda/authoring/sync-rows.ts';
import { table, type NewRow } from '../../lambda/authoring/table.ts';
import { errorOf, startRunnerPlace, stepsOf, type RunnerPlace } from './runner-place.ts';

let place: RunnerPlace;

beforeAll(async () => {
  place = await startRunnerPlace();
});
afterAll(async () => {
  await place.close();
});
beforeEach(async () => {
  await place.freshDatabase();
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const ask: RunnerPlace['ask'] = (...asked) => place.ask(...asked);
const rows: RunnerPlace['rows'] = (sql) => place.rows(sql);

const create = migration({
  after: 'base',
  up: ({ op }) => op.execute('create table n (n int)'),
  down: ({ op }) => op.execute('drop table n cascade'),
});

const viewOf = (factor: number) =>
  repeatable({
    async up({ op }) {
      await op.execute('drop view if exists twice');
      await op.execute(`create view twice as select n * ${factor} as n from n`);
      await op.execute('insert into n values (1)');
    },
  });

describe('a repeatable', () => {
  test('runs after the history, and again only when it has changed', async () => {
    const first = { '0001_n': create, view: viewOf(2) };
    expect(stepsOf(await ask(first, { action: 'up' }))).toEqual([
      { migration: '0001_n', outcome: 'applied' },
      { migration: 'view', outcome: 'applied' },
    ]);
    const second = await ask(first, { action: 'up' });
    expect(stepsOf(second)).toEqual([]);
    expect('result' in second && second.result.dataApiCalls).toBe(1);
    const changed = { '0001_n': create, view: viewOf(3) };
    const status = await ask(changed, { action: 'status' }, { view: 2 });
    expect('status' in status && status.status.stale).toEqual(['view']);
    const plan = await ask(changed, { action: 'plan' }, { view: 2 });
    expect('plan' in plan && plan.plan.groups).toEqual([['view']]);
    expect(stepsOf(await ask(changed, { action: 'up' }, { view: 2 }))).toEqual([
      { migration: 'view', outcome: 'applied' },
    ]);
    expect(await rows('select n from twice')).toEqual([3, 3]);
    const history = await ask(changed, { action: 'history' });
    expect('runs' in history && history.runs.map(({ applied, repeated }) => [applied, repeated])).toEqual([
      [[], ['view']],
      [[], []],
      [['0001_n'], ['view']],
    ]);
  });

  test('that fails takes the migrations of its deploy with it', async () => {
    const broken = repeatable({ up: ({ op }) => op.execute('create view v as select * from absent') });
    const answer = await ask({ '0001_n': create, broken }, { action: 'up' });
    expect(errorOf(answer)).toMatchObject({ code: 'migration-failed', place: { migration: 'broken' } });
    expect(stepsOf(answer)).toEqual([
      { migration: '0001_n', outcome: 'rolled-back' },
      { migration: 'broken', outcome: 'rolled-back' },
    ]);
    expect(await rows(`select to_regclass('n')::text`)).toEqual([null]);
  });

  test('waits for the head, and has no way down', async () => {
    const more = migration({
      after: '0001_n',
      up: ({ op }) => op.execute('insert into n values (7)'),
      down: irreversible('not needed here'),
    });
    const all = { '0001_n': create, '0002_more': more, view: viewOf(2) };
    expect(stepsOf(await ask(all, { action: 'up', to: '0001_n' }))).toEqual([
      { migration: '0001_n', outcome: 'applied' },
    ]);
    const down = await ask(all, { action: 'down', to: 'base', confirm: place.database() });
    expect(stepsOf(down)).toEqual([{ migration: '0001_n', outcome: 'applied' }]);
  });

  test('of an older release runs its own form again', async () => {
    await ask({ '0001_n': create, view: viewOf(2) }, { action: 'up' });
    await ask({ '0001_n': create, view: viewOf(3) }, { action: 'up' }, { view: 2 });
    await ask({ '0001_n': create, view: viewOf(2) }, { action: 'up' });
    expect(await rows('select distinct n from twice')).toEqual([2]);
  });
});

const countries = table('app.countries', {
  code: text(),
  name: text().nullable(),
  size: integer().defaulted(),
  facts: jsonb().nullable(),
  raw: json().nullable(),
  shout: text().generated(),
});

describe('op.syncRows', () => {
  const found: SyncResult[] = [];
  const base = migration({
    after: 'base',
    async up({ op }) {
      await op.execute('create schema app');
      await op.execute(`create table app.countries (code text primary key, name text, size int not null default 5,
        facts jsonb, raw json, shout text generated always as (upper(code)) stored)`);
      await op.execute(
        `insert into app.countries values ('at', 'Austria', 1, '{"a": 1}', '{"b": 2}'), ('be', 'Belgium', 2, null, null), ('zz', 'Nowhere', 3, null, null)`,
      );
    },
    down: irreversible('not needed here'),
  });
  const given = [
    { code: 'at', name: 'Austria', size: 1, facts: { a: 1 }, raw: { b: 2 } },
    { code: 'be', name: 'België', size: 2, facts: null, raw: null },
    { code: 'ch', name: null, size: 4, facts: [1], raw: 'x' },
  ];
  const syncing = (options: Partial<SyncOptions>, wanted: readonly NewRow<typeof countries>[] = given) => ({
    '0001_base': base,
    sync: repeatable({
      async up({ op }) {
        found.push(await op.syncRows(countries, wanted, { key: 'code', ...options } as SyncOptions<'code'>));
      },
    }),
  });

  beforeEach(() => {
    found.length = 0;
  });

  test('inserts, updates and leaves alone, and tells the difference', async () => {
    const answer = await ask(syncing({}), { action: 'up' });
    expect(errorOf(answer)).toBeNull();
    expect(found).toEqual([{ inserted: 1, updated: 1, unchanged: 1, extra: 1 }]);
    expect(place.said()).toContain('app.countries: 1 inserted, 1 updated, 1 unchanged, 1 extra kept');
    expect(
      await rows(`select code || ':' || coalesce(name, '-') || size || shout from app.countries order by 1`),
    ).toEqual(['at:Austria1AT', 'be:België2BE', 'ch:-4CH', 'zz:Nowhere3ZZ']);
    await ask(syncing({}), { action: 'up' }, { sync: 2 });
    expect(found[1]).toEqual({ inserted: 0, updated: 0, unchanged: 3, extra: 1 });
  });

  test('removes what is extra where it is told to', async () => {
    await ask(syncing({ extra: 'delete' }), { action: 'up' });
    expect(found).toEqual([{ inserted: 1, updated: 1, unchanged: 1, extra: 1 }]);
    expect(await rows('select code from app.countries order by code')).toEqual(['at', 'be', 'ch']);
  });

  test('refuses what is extra where it is told to, and nothing stays', async () => {
    const answer = await ask(syncing({ extra: 'refuse' }), { action: 'up' });
    expect(errorOf(answer)).toMatchObject({ code: 'rows-refused' });
    expect(errorOf(answer)?.text.what).toContain('holds a row that is not among the given ones');
    expect(await rows(`select to_regclass('app.countries')::text`)).toEqual([null]);
  });

  test('without rows empties a table only when it is told to remove', async () => {
    await ask(syncing({}, []), { action: 'up' });
    expect(found[0]).toEqual({ inserted: 0, updated: 0, unchanged: 0, extra: 3 });
    await ask(syncing({ extra: 'delete' }, []), { action: 'up' }, { sync: 2 });
    expect(await rows('select count(*)::int from app.countries')).toEqual([0]);
  });

  test('refuses a key that stands twice and a row that leaves a column out', async () => {
    const twice = await ask(syncing({}, [...given, ...given]), { action: 'up' });
    expect(errorOf(twice)?.text.what).toContain('Row 4 ');
    const short = await ask(syncing({}, [{ code: 'at' }]), { action: 'up' });
    expect(errorOf(short)).toMatchObject({ code: 'rows-refused' });
  });

  test('can be used twice in one transaction', async () => {
    const both = { ...syncing({}), zync: syncing({}).sync };
    expect(errorOf(await ask(both, { action: 'up' }))).toBeNull();
    expect(found[1]).toEqual({ inserted: 0, updated: 0, unchanged: 3, extra: 1 });
  });

  test('refuses an option that it does not know, before anything is sent', async () => {
    const answer = await ask(syncing({ extras: 'delete' } as Partial<SyncOptions>), { action: 'up' });
    expect(errorOf(answer)).toMatchObject({ code: 'rows-refused' });
    expect(errorOf(answer)?.text.what).toContain(
      'op.syncRows has no option "extras"; it takes key, extra, texts.',
    );
  });
});
