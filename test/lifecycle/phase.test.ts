import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pastRuns, plan, status } from '../../lambda/engine/inspect.ts';
import type { Migration } from '../../lambda/engine/migration.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { fingerprint, lineOf, startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
let database: FreshDatabase;

beforeAll(async () => {
  place = await startWorkplace();
});
afterAll(async () => {
  await place.close();
});
beforeEach(async () => {
  database = await place.freshDatabase();
});

/** The migrations with these ids run once the app is live. */
const withAfter = (history: readonly Migration[], ...ids: readonly string[]): readonly Migration[] =>
  history.map((one) => (ids.includes(one.id) ? { ...one, phase: 'after' } : one));

const history = withAfter(
  lineOf(
    { id: '0001_people', up: ['create table people (name text, nick text)'], down: ['drop table people'] },
    { id: '0002_ada', up: [`insert into people values ('ada')`], down: [`delete from people`] },
    {
      id: '0003_nick',
      up: ['alter table people drop column nick'],
      down: ['alter table people add column nick text'],
    },
    {
      id: '0004_bob',
      up: [`insert into people values ('bob')`],
      down: [`delete from people where name = 'bob'`],
    },
  ),
  '0003_nick',
  '0004_bob',
);

const asker = { identity: { history: 'default' }, history };
const up = { direction: 'up', to: 'head', atomic: 'group' } as const;

describe('two phases', () => {
  test('go up in two runs, and down in one', async () => {
    const before = await database.up(history, { phase: 'before' });
    expect(before).toMatchObject({ outcome: 'applied', phase: 'before', waiting: ['0003_nick', '0004_bob'] });
    expect(await database.query('select * from people')).toEqual([{ name: 'ada', nick: null }]);
    const after = await database.up(history, { phase: 'after' });
    expect(after).toMatchObject({ outcome: 'applied', phase: 'after' });
    expect(after).not.toHaveProperty('waiting');
    expect(await database.query('select * from people')).toEqual([{ name: 'ada' }, { name: 'bob' }]);
    for (const phase of ['before', 'after'] as const) {
      expect(await database.up(history, { phase })).toMatchObject({
        steps: [],
        error: null,
        dataApiCalls: 1,
      });
    }
    const down = await database.down(history, 'base');
    expect(down.steps.map(({ migration }) => migration)).toEqual([
      '0004_bob',
      '0003_nick',
      '0002_ada',
      '0001_people',
    ]);
  });

  test('stand in status, plan and history', async () => {
    await database.up(history, { phase: 'before' });
    const port = database.ports().database;
    expect(await status(asker, port, postgres)).toMatchObject({
      applied: [
        { id: '0001_people', phase: 'before' },
        { id: '0002_ada', phase: 'before' },
      ],
      pending: ['0003_nick', '0004_bob'],
      waiting: ['0003_nick', '0004_bob'],
    });
    expect(await plan(asker, up, port, postgres)).toMatchObject({
      groups: [['0003_nick', '0004_bob']],
      after: ['0003_nick', '0004_bob'],
      waiting: [],
    });
    expect(await plan(asker, { ...up, phase: 'before' }, port, postgres)).toMatchObject({
      groups: [],
      waiting: ['0003_nick', '0004_bob'],
    });
    await database.up(history);
    expect((await pastRuns(asker, 5, port, postgres)).map(({ phase }) => phase)).toEqual([null, 'before']);
  });

  const later = [
    ...history,
    ...lineOf({ id: '0005_tags', up: ['create table tags (n int)'] }).map((one) => ({
      ...one,
      after: ['0004_bob'],
    })),
  ];

  test('do not mix: what stands on waiting work is refused, and a person may do both', async () => {
    await database.up(history, { phase: 'before' });
    const refused = await database.up(later, { phase: 'before' });
    expect(refused).toMatchObject({ outcome: 'not-run', error: { code: 'plan-phase' } });
    expect(await database.up(later)).toMatchObject({ outcome: 'applied' });
  });

  test('are one where the database is new, and where its first run stopped half way or was taken back', async () => {
    const alone = later.map((one) =>
      one.id === '0001_people' ? { ...one, atomic: 'migration' as const } : one,
    );
    const broken = alone.map((one) =>
      one.id === '0005_tags' ? { ...one, up: () => Promise.reject(new TypeError('broken')) } : one,
    );
    const first = await database.up(broken, { phase: 'before' });
    expect(first.steps.map(({ outcome }) => outcome)).toEqual([
      'applied',
      ...Array.from({ length: 4 }, () => 'rolled-back'),
    ]);
    expect(await database.up(alone, { phase: 'before' })).toMatchObject({ outcome: 'applied' });
    const reversible = alone.map((one) =>
      one.id === '0005_tags' ? { ...one, down: { kind: 'reversible' as const, run: one.up } } : one,
    );
    await database.query('drop table tags');
    expect(await database.down(reversible, 'base')).toMatchObject({ outcome: 'applied' });
    await database.query('drop table tags');
    expect(await database.up(alone, { phase: 'before' })).toMatchObject({ outcome: 'applied' });
  });
});

describe('when an answer gets lost', () => {
  // Read, bid, begin, claim, two statements, commit, release: for each of the two runs.
  const calls = Array.from({ length: 16 }, (_, index) => index + 1);

  test.each(calls)('of call %i of a deploy, both phases take effect once', async (nth) => {
    const calm = await place.freshDatabase();
    await calm.up(history);
    await database.up([]);
    const fault = place.dataApi.faults.next({ nth, kind: 'drop-after' });
    expect(await database.up(history, { phase: 'before' })).toMatchObject({ outcome: 'applied' });
    expect(await database.up(history, { phase: 'after' })).toMatchObject({ outcome: 'applied' });
    await fault.struck;
    expect(await fingerprint(database)).toBe(await fingerprint(calm));
    for (const phase of ['before', 'after'] as const) {
      expect((await database.up(history, { phase })).dataApiCalls).toBe(1);
    }
  });
});
