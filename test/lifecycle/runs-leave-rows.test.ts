import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pastRuns, type RunData } from '../../lambda/engine/inspect.ts';
import { DEFAULT_LIMITS } from '../../lambda/engine/limits.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { settle } from '../../lambda/engine/settle.ts';
import { lineOf, startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

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

const notes = lineOf(
  { id: '0001_notes', up: ['create table notes (body text)'], down: ['drop table notes'] },
  { id: '0002_fill', up: [`insert into notes values ('a'), ('b'), ('c')`], down: ['delete from notes'] },
);
const broken = [
  ...notes,
  ...lineOf(
    { id: '0001_notes', up: [] },
    { id: '0002_fill', up: [] },
    { id: '0003_broken', up: [`insert into notes values ('d')`, 'insert into nowhere values (1)'] },
  ).slice(2),
];
const OWNER = 'arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/1/Migrations';

async function runs(): Promise<readonly RunData[]> {
  const identity = { history: 'default' };
  return pastRuns({ identity, history: notes }, 20, database.ports().database, postgres);
}

describe('the history of runs', () => {
  test('says who asked, from which deploy and commit, how long it took and how many rows it wrote', async () => {
    const result = await database.up(notes, {
      owner: OWNER,
      runKey: 'key-1',
      asker: { deployId: 'r1', commit: 'c0ffee', through: '7' },
    });
    const [run] = await runs();
    expect(run).toMatchObject({
      action: 'up',
      owner: OWNER,
      deployId: 'r1',
      commit: 'c0ffee',
      by: null,
      through: '7',
      outcome: 'applied',
      rows: 3,
      dataApiCalls: result.dataApiCalls,
      error: null,
      applied: ['0001_notes', '0002_fill'],
    });
    expect(run?.milliseconds).toBeGreaterThan(0);
    await database.down(notes, 'base', { asker: { by: 'ada', through: 'act' } });
    expect((await runs())[0]).toMatchObject({ action: 'down', by: 'ada', through: 'act', rows: 3 });
  });

  test('counts no row of what was rolled back, and tells why', async () => {
    await database.up(notes);
    await database.up(broken);
    expect((await runs())[0]).toMatchObject({
      outcome: 'rolled-back',
      rows: 0,
      error: { code: 'migration-failed' },
    });
  });
});

describe('a row is left', () => {
  test('by a deploy with nothing to do, in the one call that it costs', async () => {
    await database.up(notes);
    place.dataApi.resetCalls();
    const idle = await database.up(notes, { owner: OWNER, runKey: 'idle', asker: { commit: 'c0ffee' } });
    expect(place.dataApi.calls()).toHaveLength(1);
    expect(idle).toMatchObject({ outcome: 'applied', steps: [], dataApiCalls: 1, repeated: false });
    expect((await runs())[0]).toMatchObject({
      id: idle.runId,
      owner: OWNER,
      commit: 'c0ffee',
      outcome: 'applied',
      rows: 0,
      dataApiCalls: 1,
      applied: [],
      finishedAt: expect.any(String) as string,
    });
  });

  test('once by that deploy, also when the answer to its one call is lost', async () => {
    await database.up(notes);
    place.dataApi.faults.next({ nth: 1, kind: 'drop-after' });
    const idle = await database.up(notes, { runKey: 'idle' });
    expect(idle).toMatchObject({ outcome: 'applied', error: null });
    expect((await runs()).map(({ id }) => id)).toEqual([idle.runId, expect.any(String)]);
  });

  test('by a run that is refused, which tells why', async () => {
    await database.up(notes);
    const refused = await database.up(notes.slice(0, 1), { owner: OWNER });
    expect(refused.error?.code).toBe('plan-ahead');
    expect((await runs())[0]).toMatchObject({
      id: refused.runId,
      owner: OWNER,
      outcome: 'not-run',
      error: { code: 'plan-ahead', what: refused.error?.text.what },
    });
  });

  test('by a run that waited in vain for another one, and its key may ask again', async () => {
    await database.up([]);
    await database.query(
      `update forerun.lease set holder = 'other', expires_at = clock_timestamp() + interval '1 hour'`,
    );
    const late = await database.up(notes, { runKey: 'key', timeMs: 1_500 });
    expect(late.error?.code).toBe('lease-busy');
    expect((await runs())[0]).toMatchObject({ id: late.runId, error: { code: 'lease-busy' } });
    await database.query('update forerun.lease set holder = null, expires_at = null');
    expect(await database.up(notes, { runKey: 'key' })).toMatchObject({
      outcome: 'applied',
      repeated: false,
    });
  });

  test('by a rollback, with its verdict, and by a forward run that comes after it', async () => {
    const newer = { owner: OWNER, askedAtMs: 2_000 };
    await database.up(notes, { ...newer, askedAtMs: 1_000 });
    const identity = {
      runId: 'back',
      runKey: 'back',
      history: 'default',
      action: 'settle' as const,
      deployId: 'r1',
      digest: 'digest',
      ...newer,
    };
    await settle(
      { identity, history: notes, deadlineMs: Date.now() + 60_000, limits: DEFAULT_LIMITS },
      database.ports(),
      postgres,
    );
    const late = await database.up(broken, { owner: OWNER, askedAtMs: 1_500 });
    expect((await runs()).slice(0, 2)).toMatchObject([
      { id: late.runId, outcome: 'not-run', error: { code: 'run-overruled' } },
      { id: 'back', action: 'settle', outcome: 'settled', deployId: 'r1' },
    ]);
  });

  test('by nobody who only looks', async () => {
    await database.up(notes);
    const before = await database.query('select * from forerun.run');
    await runs();
    expect(await database.query('select * from forerun.run')).toEqual(before);
  });
});

test('a database that takes no writes has nothing to do, and no row is left', async () => {
  await database.up(notes);
  await database.query(`alter database "${database.name}" set default_transaction_read_only = on`);
  // What was open before does not know it.
  await database.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database.name}' and pid <> pg_backend_pid()`,
  );
  expect(await database.up(notes)).toMatchObject({ outcome: 'applied', steps: [], error: null });
  expect(await runs()).toHaveLength(1);
});

test('the journal keeps its last 500 runs, and of older ones those that changed something', async () => {
  const first = await database.up(notes);
  await database.query(`insert into forerun.run (id, history, action, digest, started_at, finished_at, outcome)
    select 'old-' || n, 'default', 'up', 'd', clock_timestamp() - n * interval '1 minute' - interval '1 day',
           clock_timestamp(), 'applied' from generate_series(1, 520) n`);
  await database.query(`update forerun.run set started_at = '2020-01-01' where id = '${first.runId}'`);
  await database.query(`insert into forerun.run (id, history, action, digest, started_at)
    values ('at-work', 'default', 'up', 'd', '2020-01-01')`);
  await database.up(notes);
  await database.up(notes);
  const [counted] = await database.query('select count(*)::int as all from forerun.run');
  expect(counted).toEqual({ all: 500 + 2 });
  const kept = await database.query(`select id from forerun.run where started_at = '2020-01-01' order by id`);
  expect(kept).toEqual([{ id: 'at-work' }, { id: first.runId }]);
});
