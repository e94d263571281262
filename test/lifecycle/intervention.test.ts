import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { amend } from '../../lambda/engine/amend.ts';
import { pastRuns, status } from '../../lambda/engine/inspect.ts';
import { bidFor, readJournal } from '../../lambda/engine/lease.ts';
import { DEFAULT_LIMITS } from '../../lambda/engine/limits.ts';
import type { Migration } from '../../lambda/engine/migration.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { unlock } from '../../lambda/engine/unlock.ts';
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

const people = lineOf(
  { id: '0001_people', up: ['create table people (name text)'], down: ['drop table people'] },
  { id: '0002_ada', up: [`insert into people values ('ada')`], down: ['delete from people'] },
);

const identity = {
  runId: 'by-hand',
  runKey: null,
  history: 'default',
  deployId: null,
  owner: null,
  digest: 'digest',
};

const asking = (history: readonly Migration[]) => ({
  history,
  deadlineMs: Date.now() + 60_000,
  limits: DEFAULT_LIMITS,
});

/** A runner that has taken the lease and was never heard of again. */
async function deadHolder(): Promise<bigint> {
  const asker = {
    ...asking(people),
    identity: { ...identity, runId: 'dead', action: 'up' as const, deployId: 'deploy-7', owner: 'stack-1' },
  };
  const ports = database.ports();
  const token = await bidFor(await readJournal(asker, ports, postgres), asker, ports, postgres);
  expect(token).not.toBeNull();
  return token ?? 0n;
}

const unlockBecause = (reason: string, runId = 'by-hand') =>
  unlock({ ...identity, runId, action: 'unlock', reason }, database.ports(), postgres);

const repair = (history: readonly Migration[]) =>
  amend(
    { ...asking(history), identity: { ...identity, action: 'repair' }, to: null, reason: 'looked' },
    database.ports(),
    postgres,
  );

const stamp = (history: readonly Migration[], to: string) =>
  amend(
    { ...asking(history), identity: { ...identity, action: 'stamp' }, to, reason: 'looked' },
    database.ports(),
    postgres,
  );

const journal = async (): Promise<string> =>
  (await database.query('select id from forerun.migration order by id'))
    .map(({ id }) => String(id))
    .join(' ');

describe('the lease', () => {
  test('tells who holds it, since when and for which deploy', async () => {
    await database.up([]);
    await deadHolder();
    const { holder } = await status({ identity, history: people }, database.ports().database, postgres);
    expect(holder).toMatchObject({ runId: 'dead', deployId: 'deploy-7', owner: 'stack-1', live: true });
    expect(Math.abs(Date.parse(holder?.since ?? '') - Date.now())).toBeLessThan(60_000);
  });

  test('makes others wait, and tell for whom they waited', async () => {
    await database.up([]);
    await deadHolder();
    const result = await database.up(people, { timeMs: 11_000 });
    expect(result.outcome).toBe('not-run');
    expect(result.error?.code).toBe('lease-busy');
    expect(result.error?.text.what).toMatch(
      /run dead of deploy deploy-7, which holds the lease since \d{4}-/,
    );
  });

  test('is taken over from a dead holder when it has expired', async () => {
    await database.up([]);
    await deadHolder();
    await database.query(`update forerun.lease set expires_at = clock_timestamp() - interval '1 second'`);
    expect((await database.up(people)).outcome).toBe('applied');
  });
});

describe('unlock', () => {
  test('frees the lease at once, fences its holder and keeps the reason', async () => {
    await database.up([]);
    const token = await deadHolder();
    expect(await unlockBecause('the runner was deleted')).toEqual({ holder: 'dead' });
    const [lease] = await database.query('select holder, token from forerun.lease');
    expect(lease).toEqual({ holder: null, token: String(token + 1n) });
    const runs = await pastRuns({ identity, history: people }, 10, database.ports().database, postgres);
    expect(runs.find(({ id }) => id === 'by-hand')).toMatchObject({
      action: 'unlock',
      outcome: 'done',
      reason: 'the runner was deleted',
    });
    expect((await database.up(people)).outcome).toBe('applied');
  });

  test('leaves no way to commit for the holder that it took the lease from', async () => {
    await database.up([]);
    const token = await deadHolder();
    await unlockBecause('trying');
    const claim = postgres.claim({
      ...identity,
      runId: 'dead',
      action: 'up',
      token,
      migrations: people,
      ...DEFAULT_LIMITS,
    });
    const { rows } = await database.ports().database.execute(claim, { rows: true });
    expect(rows[0]).toMatchObject({ token: null, claimed: 0 });
    expect(await journal()).toBe('');
  });

  test('does not touch a holder inside an open transaction', async () => {
    await database.up([]);
    const token = await deadHolder();
    const transaction = await database.ports().database.begin();
    const claim = postgres.claim({
      ...identity,
      runId: 'dead',
      action: 'up',
      token,
      migrations: people,
      ...DEFAULT_LIMITS,
    });
    await transaction.execute(claim, { rows: true });
    await expect(unlockBecause('impatience')).rejects.toMatchObject({ code: 'lease-busy' });
    await transaction.rollback();
    expect(await unlockBecause('impatience', 'second')).toEqual({ holder: 'dead' });
  });

  test('of a free lease, or without a journal, changes nothing', async () => {
    expect(await unlockBecause('just so')).toEqual({ holder: null });
    await database.up([]);
    expect(await unlockBecause('just so')).toEqual({ holder: null });
    expect(await database.query('select * from forerun.run where action = $$unlock$$')).toEqual([]);
  });

  test('whose answer was lost is done once', async () => {
    await database.up([]);
    const token = await deadHolder();
    place.dataApi.faults.next({ kind: 'drop-after' });
    await unlockBecause('lost');
    expect(await database.query('select token from forerun.lease')).toEqual([{ token: String(token + 1n) }]);
    expect((await database.query(`select * from forerun.event where kind = 'unlocked'`)).length).toBe(1);
  });
});

describe('a journal that somebody changed by hand', () => {
  test('with a deleted row refuses, and repair brings the row back', async () => {
    await database.up(people);
    await database.query(`delete from forerun.migration where id = '0002_ada'`);
    const refused = await database.up(people);
    expect(refused.error?.code).toBe('journal-tampered');
    expect(refused.error?.text.what).toContain('0002_ada');
    expect(refused.error?.text.next).toContain('repair');
    expect(refused.dataApiCalls).toBe(1);
    expect(await repair(people)).toEqual({ put: ['0002_ada'], removed: [], forgotten: [] });
    expect(await database.up(people)).toMatchObject({ outcome: 'applied', steps: [] });
    expect(await database.query('select * from people')).toEqual([{ name: 'ada' }]);
  });

  test('with a deleted table refuses instead of applying everything again', async () => {
    await database.up(people);
    await database.query('drop table forerun.migration');
    const refused = await database.up(people);
    expect(refused.error?.code).toBe('journal-tampered');
    await repair(people);
    expect(await database.up(people)).toMatchObject({ outcome: 'applied', steps: [] });
  });

  test.each(['installation', 'lease', 'run', 'event', 'statement', 'repeatable'])(
    'that lost its table %s refuses, and nothing of it is made anew',
    async (name) => {
      await database.up(people);
      await database.query(`drop table forerun.${name}`);
      const refused = await database.up(people);
      expect(refused.error).toMatchObject({
        code: 'journal-tampered',
        text: { what: `Schema forerun is not whole: the journal has lost its tables ${name}.` },
      });
      expect(await database.query(`select to_regclass('forerun.${name}')::text as t`)).toEqual([{ t: null }]);
    },
  );

  test('that lost what was applied and the events about it is not filled anew', async () => {
    await database.up(people);
    await database.query('drop table forerun.event, forerun.migration');
    expect((await database.up(people)).error?.code).toBe('journal-tampered');
    expect(await database.query('select count(*)::int as n from people')).toEqual([{ n: 1 }]);
  });

  test('with another checksum refuses, and repair takes over the one of the bundle', async () => {
    await database.up(people);
    await database.query(`update forerun.migration set checksum = 'v1:forged' where id = '0001_people'`);
    const refused = await database.up(people);
    expect(refused.error?.code).toBe('plan-changed');
    expect(refused.error?.text.next).toContain('repair');
    expect(await repair(people)).toEqual({ put: ['0001_people'], removed: [], forgotten: [] });
    expect(await database.up(people)).toMatchObject({ outcome: 'applied', steps: [] });
  });

  test('by a newer release is left alone', async () => {
    await database.up(people);
    await database.query('insert into forerun.installation (version) values (99)');
    const refused = await database.up(people);
    expect(refused.error?.code).toBe('journal-unreadable');
    expect(refused.error?.text.what).toContain('version 99');
  });

  test('with a missing column refuses and says where to look', async () => {
    await database.up(people);
    await database.query('alter table forerun.lease drop column revision');
    const refused = await database.up(people);
    expect(refused.error?.code).toBe('journal-unreadable');
    expect(refused.error?.text.next).toContain('schema forerun');
  });
});

describe('stamp', () => {
  test('makes the journal say what is applied, and runs nothing', async () => {
    await database.query('create table people (name text)');
    await database.up([]);
    expect(await stamp(people, '0001_people')).toEqual({ put: ['0001_people'], removed: [], forgotten: [] });
    expect((await database.up(people)).steps).toEqual([{ migration: '0002_ada', outcome: 'applied' }]);
    expect(await database.query('select * from people')).toEqual([{ name: 'ada' }]);
  });

  test('takes rows away, so that what lies above the target runs again', async () => {
    await database.up(people);
    await database.query('delete from people');
    expect(await stamp(people, '0001_people')).toEqual({ put: [], removed: ['0002_ada'], forgotten: [] });
    expect((await database.up(people)).steps).toEqual([{ migration: '0002_ada', outcome: 'applied' }]);
    expect(await database.query('select * from people')).toEqual([{ name: 'ada' }]);
  });

  test('settles a deleted row whose effect is not there', async () => {
    await database.up(people);
    await database.query('delete from people');
    await database.query(`delete from forerun.migration where id = '0002_ada'`);
    await stamp(people, '0001_people');
    expect((await database.up(people)).outcome).toBe('applied');
    expect(await database.query('select * from people')).toEqual([{ name: 'ada' }]);
  });

  test.each(['drop-before', 'drop-after'] as const)(
    'whose answer was lost (%s) is written once',
    async (kind) => {
      await database.up([]);
      place.dataApi.faults.next({ kind, where: ({ sql }) => sql?.includes("'stamped'") === true });
      await stamp(people, 'head');
      expect(await journal()).toBe('0001_people 0002_ada');
      expect((await database.query(`select * from forerun.event where kind = 'stamped'`)).length).toBe(2);
      expect((await database.query(`select * from forerun.run where action = 'stamp'`)).length).toBe(1);
    },
  );

  test('refuses a target that is not in the release', async () => {
    await database.up([]);
    await expect(stamp(people, '0009_nothing')).rejects.toMatchObject({ code: 'plan-unknown-target' });
  });

  test('waits for a run that works', async () => {
    await database.up([]);
    await deadHolder();
    const request = {
      ...asking(people),
      deadlineMs: Date.now() + 11_000,
      identity: { ...identity, action: 'stamp' as const },
      to: 'head',
      reason: 'looked',
    };
    await expect(amend(request, database.ports(), postgres)).rejects.toMatchObject({ code: 'lease-busy' });
    expect(await journal()).toBe('');
  });
});
