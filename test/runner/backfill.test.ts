import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { backfill } from '../../lambda/authoring/backfill.ts';
import { bigint, integer, text } from '../../lambda/authoring/column-types.ts';
import { irreversible } from '../../lambda/authoring/irreversible.ts';
import { migration } from '../../lambda/authoring/migration.ts';
import { sql } from '../../lambda/authoring/sql.ts';
import { table } from '../../lambda/authoring/table.ts';
import type { BackfillData } from '../../lambda/engine/backfill/operate.ts';
import type { RunnerAnswer } from '../../lambda/contract.ts';
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

const people = table('people', { id: bigint(), name: text(), greeting: text().nullable(), n: integer() });

const create = migration({
  after: 'base',
  async up({ op }) {
    await op.execute(
      'create table people (id bigint primary key, name text not null, greeting text, n int not null default 0)',
    );
    await op.execute(`insert into people select n, 'name ' || n from generate_series(1, 900) n`);
  },
  down: irreversible('a test'),
});

const greet = backfill({
  after: '0001_people',
  table: people,
  key: 'id',
  where: sql`greeting is null`,
  set: { greeting: (eb) => eb.fn<string>('concat', [sql.lit('Hello '), 'name']) },
  pauseMs: 0,
  down: ({ op }) => op.execute('update people set greeting = null'),
});

const backfillsIn = (answer: RunnerAnswer): readonly BackfillData[] => {
  if (answer.action !== 'backfills') throw new Unexpected(JSON.stringify(answer));
  return answer.backfills;
};
const statesIn = (answer: RunnerAnswer): readonly string[] =>
  backfillsIn(answer).map(({ id, state }) => `${id} ${state}`);

class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

const greeted = (): Promise<readonly unknown[]> =>
  place.rows(`select count(*)::int from people where greeting = 'Hello ' || name`);

describe('a backfill that does not hold the deploy', () => {
  const history = { '0001_people': create, '0002_greet': greet };

  test('is enqueued with the deploy and worked on when all else is done', async () => {
    const answer = await ask(history, { action: 'up' });
    expect(stepsOf(answer)).toMatchObject([{ outcome: 'applied' }, { outcome: 'applied' }]);
    expect(await greeted()).toEqual([900]);
    const [shown] = backfillsIn(await ask(history, { action: 'backfills' }));
    expect(shown).toMatchObject({ id: '0002_greet', state: 'succeeded', scanned: 900, changed: 900 });
    const again = await ask(history, { action: 'up' });
    expect('result' in again && again.result.dataApiCalls).toBe(1);
  });

  test('is done before a migration of the same deploy that needs it', async () => {
    const answer = await ask({ ...history, '0003_strict': strict }, { action: 'up' });
    expect(errorOf(answer)).toBeNull();
    expect(stepsOf(answer)).toMatchObject([
      { outcome: 'applied' },
      { outcome: 'applied' },
      { outcome: 'applied' },
    ]);
  });

  test('is taken back by down, whatever it has done', async () => {
    await ask(history, { action: 'up' });
    const down = await ask(history, { action: 'down', to: '0001_people', confirm: place.database() });
    expect(errorOf(down)).toBeNull();
    expect(await greeted()).toEqual([0]);
    expect(statesIn(await ask(history, { action: 'backfills' }))).toEqual([]);
    await ask(history, { action: 'up' });
    expect(await greeted()).toEqual([900]);
  });
});

const strict = migration({
  after: '0002_greet',
  needs: ['0002_greet'],
  up: ({ op }) => op.execute('alter table people alter column greeting set not null'),
  down: irreversible('a test'),
});

const deploy = () => ({
  deployId: 'd',
  owner: 'o',
  runKey: `k${Math.random()}`,
  digest: 'digest',
  deadlineMs: 0,
  askedAtMs: null,
});

describe('a backfill that a person operates', () => {
  const history = { '0001_people': create, '0002_greet': greet };
  const paused = async (): Promise<void> => {
    // The row is there before any worker, as after a deploy without time to spare.
    await ask({ '0001_people': create }, { action: 'up' });
    const held = { ...history, '0002_greet': greet };
    await ask(held, { action: 'up', deploy: { ...deploy(), deadlineMs: Date.now() + 25_000 } });
    expect(await greeted()).toEqual([0]);
  };
  test('goes from state to state by the edges, and says where none leads on', async () => {
    await paused();
    const act = (action: string) => ask(history, { action, backfill: '0002_greet' });
    expect(statesIn(await act('pause'))).toEqual(['0002_greet paused']);
    expect(statesIn(await act('pause'))).toEqual(['0002_greet paused']);
    expect(statesIn(await ask(history, { action: 'backfill' }))).toEqual([]);
    expect(await greeted()).toEqual([0]);
    expect(errorOf(await act('retry'))?.text.what).toContain('leads on only from failed, cancelled');
    expect(statesIn(await act('resume'))).toEqual(['0002_greet enqueued']);
    expect(statesIn(await act('cancel'))).toEqual(['0002_greet cancelled']);
    expect(statesIn(await act('retry'))).toEqual(['0002_greet enqueued']);
    expect(statesIn(await act('backfill'))).toEqual(['0002_greet succeeded']);
    expect(await greeted()).toEqual([900]);
    expect(errorOf(await act('cancel'))?.code).toBe('backfill-refused');
    expect(errorOf(await ask(history, { action: 'pause', backfill: '0009_none' }))?.code).toBe(
      'backfill-refused',
    );
  });

  test('keeps a deploy from what needs it while it is paused, and shows the way out', async () => {
    await paused();
    await ask(history, { action: 'pause', backfill: '0002_greet' });
    const error = errorOf(await ask({ ...history, '0003_strict': strict }, { action: 'up' }));
    expect(error?.code).toBe('backfill-refused');
    expect(error?.text.next).toContain('{"action":"resume","backfill":"0002_greet"}');
  });

  test('keeps a deploy from what needs it while much is left, and says how much', async () => {
    await paused();
    const now = Date.now();
    await place.rows(`insert into forerun.backfill_range (history, backfill, number, batch_rows, scanned, recent)
      values ('default', '0002_greet', 1, 500, 410000, '[[${now - 60_000}, 300000], [${now}, 410000]]')`);
    await place.rows(`update forerun.backfill set state = 'running', prepared_at = now(), total = 1000000`);
    const error = errorOf(await ask({ ...history, '0003_strict': strict }, { action: 'up' }));
    expect(error?.code).toBe('backfill-refused');
    expect(error?.text.what).toBe(
      '0003_strict needs 0002_greet, which is not finished: 41% done, about 5 minutes left.',
    );
    expect(error?.text.next).toBe(
      'Deploy again when it is done; {"action":"backfills"} shows how far it is, and {"action":"backfill","backfill":"0002_greet"} works on it.',
    );
  });

  test('keeps who asked and why, and shows one in detail', async () => {
    await paused();
    const asked = { backfill: '0002_greet', reason: 'the app is slow', by: 'anna' };
    const [held] = backfillsIn(await ask(history, { action: 'pause', ...asked }));
    expect(held).toMatchObject({ state: 'paused', reason: 'the app is slow' });
    expect(held?.events[0]).toMatchObject({ move: 'pause', from: 'enqueued', to: 'paused', by: 'anna' });
    await ask(history, { action: 'resume', backfill: '0002_greet' });
    await ask(history, { action: 'backfill' });
    const [detail] = backfillsIn(await ask(history, { action: 'backfills', backfill: '0002_greet' }));
    expect(detail?.events.map(({ move }) => move)).toEqual(['work', 'work', 'resume', 'pause', 'deploy']);
    // The closing sweep looks at rows too.
    expect(detail?.batches?.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThanOrEqual(900);
    expect(errorOf(await ask(history, { action: 'backfills', backfill: '0009_none' }))?.code).toBe(
      'backfill-refused',
    );
  });

  test('is not mistaken for another one when its file changes or goes while it is not done', async () => {
    await paused();
    const changed = errorOf(await ask(history, { action: 'up' }, { '0002_greet': 2 }));
    expect(changed?.code).toBe('backfill-refused');
    expect(changed?.text.what).toContain('was changed, and its backfill is not done');
    const gone = errorOf(await ask({ '0001_people': create }, { action: 'up' }));
    expect(gone?.code).toBe('plan-ahead');
  });

  test('is worked on though another one that is open is not of this release', async () => {
    await paused();
    await place.rows(`insert into forerun.backfill (history, id, checksum, state, hold, pause_ms, parallel, enqueued_at)
      values ('default', '0003_newer', 'v1:0003_newer', 'enqueued', false, 10, 1, now() - interval '1 day'),
             ('default', '0001_people', 'v1:0001_people', 'enqueued', false, 10, 1, now() - interval '1 day')`);
    const answer = await ask(history, { action: 'backfill' });
    expect(statesIn(answer)).toEqual(['0002_greet succeeded']);
    expect(answer).toMatchObject({
      ok: true,
      passedOver: [
        { id: '0001_people', reason: 'This release has no backfill "0001_people".' },
        { id: '0003_newer', reason: 'This release has no backfill "0003_newer".' },
      ],
    });
    expect(place.said()).toContain('Left alone: 0003_newer.');
    expect(await greeted()).toEqual([900]);
    expect(errorOf(await ask(history, { action: 'backfill', backfill: '0003_newer' }))?.code).toBe(
      'backfill-refused',
    );
  });

  test('is passed over where its file has changed, and named it is refused', async () => {
    await paused();
    const changed = { '0002_greet': 2 };
    const answer = await ask(history, { action: 'backfill' }, changed);
    expect(answer).toMatchObject({
      ok: true,
      backfills: [],
      passedOver: [{ id: '0002_greet', reason: expect.stringContaining('its file has changed') }],
    });
    const named = await ask(history, { action: 'backfill', backfill: '0002_greet' }, changed);
    expect(errorOf(named)?.code).toBe('backfill-refused');
    expect(await greeted()).toEqual([0]);
  });

  test('takes another speed while it works', async () => {
    await paused();
    const tuned = await ask(history, {
      action: 'tune',
      backfill: '0002_greet',
      mostRows: 70,
      pauseMs: 1,
      parallel: 2,
    });
    expect(backfillsIn(tuned)[0]).toMatchObject({ mostRows: 70, pauseMs: 1, parallel: 2 });
    await ask(history, { action: 'backfill', backfill: '0002_greet' });
    expect(await greeted()).toEqual([900]);
    const most = await place.rows('select max(batch_rows)::int from forerun.backfill_range');
    expect(Number(most[0])).toBeLessThanOrEqual(70);
  });
});

describe('one batch, to see what it would do', () => {
  const shift = {
    after: '0001_people',
    table: people,
    key: 'id',
    where: sql`greeting is null`,
    batchRows: 10,
    down: 'nothing to undo',
  } as const;

  test.each([
    ['set', backfill({ ...shift, set: { greeting: 'secret word' } }), 'secret word'],
    ['transform', backfill({ ...shift, transform: () => ({ greeting: 'secret word' }) }), 'secret word'],
    [
      'batch',
      backfill({
        ...shift,
        batch: ({ op, rows }) => op.execute(sql`update people set greeting = 'secret word' where ${rows}`),
      }),
      'secret word',
    ],
  ])('as %s: rows before and after, nothing kept, nothing logged', async (_form, tried, after) => {
    await ask({ '0001_people': create }, { action: 'up' });
    const history = { '0001_people': create, '0002_tried': tried };
    const answer = await ask(history, { action: 'backfill', backfill: '0002_tried', dryRun: true });
    expect(answer).toMatchObject({ ok: true, action: 'backfill', trial: { changed: 10 } });
    if (answer.action !== 'backfill') throw new Unexpected(answer.action);
    expect(answer.trial.rows).toHaveLength(5);
    expect(answer.trial.rows[0]).toMatchObject({
      before: { id: 1, greeting: null },
      after: { greeting: after },
    });
    expect(await place.rows('select count(*)::int from people where greeting is not null')).toEqual([0]);
    expect(place.said()).not.toContain('secret word');
  });

  test('of a batch that leaves its rows as if nothing had been done is refused, as the real one would be', async () => {
    const tried = backfill({
      ...shift,
      batch: ({ op, rows }) => op.execute(sql`update people set name = name || '!' where ${rows}`),
    });
    await ask({ '0001_people': create }, { action: 'up' });
    const history = { '0001_people': create, '0002_tried': tried };
    const asked = { action: 'backfill', backfill: '0002_tried', dryRun: true } as const;
    const answer = await ask(history, asked);
    expect(errorOf(answer)).toMatchObject({
      code: 'backfill-refused',
      text: {
        what: 'A batch of 0002_tried fails: the change leaves its own where true.',
        state: 'The database was not touched.',
        next: 'Let the change make its `where` false, or write `frozen: true` for one that leaves no trace.',
      },
    });
    expect(await place.rows(`select count(*)::int from people where name like '%!'`)).toEqual([0]);
  });

  test('that fails says so in words that hold no value of a row', async () => {
    const history = {
      '0001_people': create,
      '0002_tried': backfill({ ...shift, set: { n: sql`cast(name as integer)` } }),
    };
    await ask({ '0001_people': create }, { action: 'up' });
    const answer = await ask(history, { action: 'backfill', backfill: '0002_tried', dryRun: true });
    expect(errorOf(answer)?.text.what).toBe('A batch of 0002_tried fails: SQLSTATE 22P02.');
    expect(place.said()).not.toContain('name 1');
  });
});
