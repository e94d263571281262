import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import { module, openStage, openTheatre, STACK, type Stage } from './stage.ts';

let postgres: LocalPostgres;
let stage: Stage;

beforeAll(async () => {
  postgres = await openTheatre();
});
afterAll(async () => {
  await postgres.stop();
});
afterEach(async () => {
  await stage.close();
});

const first = {
  '0001_notes.ts': module('base', ['create table notes (body text)'], { down: ['drop table notes'] }),
};
const second = {
  ...first,
  '0002_titles.ts': module('0001_notes', ['alter table notes add column title text'], {
    down: ['alter table notes drop column title'],
  }),
  '0003_tags.ts': module('0002_titles', ['create table tags (name text)'], { down: ['drop table tags'] }),
};

const unhealthy = { AppAliaslive: 'unhealthy' };
const revert = { props: { onRollback: 'revert' } } as const;

const applied = async (): Promise<readonly unknown[]> =>
  (await stage.rows('select id from forerun.migration order by id')).map(({ id }) => id);

/** Where in a rollback the old app was live again, and where the undo resource was asked. */
function moments(events: readonly { readonly logicalId: string; readonly status: string }[]) {
  const at = (id: string, status: string): number =>
    events.findLastIndex((event) => event.logicalId.startsWith(id) && event.status === status);
  return { live: at('AppAliaslive', 'UPDATE_COMPLETE'), undone: at('MigrationsUndo', 'DELETE_COMPLETE') };
}

describe("onRollback 'revert'", () => {
  test.each([
    ['code before events', false],
    ['events before code', true],
  ])(
    'takes the deploy back once the old app is live again, newest first (%s)',
    async (_order, eventsFirst) => {
      stage = await openStage(postgres);
      await stage.deploy('r1', first, {}, revert);
      const result = await stage.deploy('r2', second, unhealthy, { ...revert, eventsFirst });
      expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
      const { live, undone } = moments(result.events);
      expect(live).toBeGreaterThan(0);
      expect(undone).toBeGreaterThan(live);
      expect(await applied()).toEqual(['0001_notes']);
      expect(
        await stage.rows(`select kind, migration from forerun.event where kind = 'reverted' order by id`),
      ).toEqual([
        { kind: 'reverted', migration: '0003_tags' },
        { kind: 'reverted', migration: '0002_titles' },
      ]);
      expect(stage.gateLog()).toContain('is reverted once the old app is live again');
      expect(stage.gateLog()).toContain('Reverted, newest first: 0003_tags, 0002_titles.');
      const retried = await stage.deploy('r3', second, {}, revert);
      expect(retried.status).toBe('UPDATE_COMPLETE');
      expect(await applied()).toEqual(['0001_notes', '0002_titles', '0003_tags']);
    },
  );

  test('takes a stack back that never came to be', async () => {
    stage = await openStage(postgres);
    const result = await stage.deploy('r1', second, { AppAliaslive: 'unhealthy' }, revert);
    expect(result.status).toBe('ROLLBACK_COMPLETE');
    expect(await applied()).toEqual([]);
    expect(await stage.rows(`select to_regclass('notes')::text as notes`)).toEqual([{ notes: null }]);
  });

  test('reverts nothing in the cleanup of a good deploy, nor when the stack is deleted', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first, {}, revert);
    const result = await stage.deploy('r2', second, {}, revert);
    expect(moments(result.events).undone).toBeGreaterThan(0);
    await stage.rehearsal.cloudFormation.destroy(STACK);
    expect(await applied()).toEqual(['0001_notes', '0002_titles', '0003_tags']);
  });

  test('keeps everything where one migration has no way back, and says so', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first, {}, revert);
    const oneWay = { ...second, '0004_end.ts': module('0003_tags', ['create table ends (n int)']) };
    const result = await stage.deploy('r2', oneWay, unhealthy, revert);
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await applied()).toEqual(['0001_notes', '0002_titles', '0003_tags', '0004_end']);
    expect(stage.gateLog()).toContain(
      'Not reverted; the database is kept as it is. 0004_end cannot be reverted',
    );
  });

  test('keeps everything where the policies that were rolled back do not let the newer runner in', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first, {}, { ...revert, ownSecret: 'OldSecret' });
    const switched = { ...revert, ownSecret: 'NewSecret' };
    const result = await stage.deploy('r2', second, unhealthy, switched);
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await applied()).toEqual(['0001_notes', '0002_titles', '0003_tags']);
    expect(stage.gateLog()).toContain('Not reverted; the database is kept as it is.');
  });
});

describe("onRollback 'fail'", () => {
  const fail = { props: { onRollback: 'fail' } } as const;

  test('stops the rollback, and comes home by going down or by skipping the resource', async () => {
    stage = await openStage(postgres);
    const { cloudFormation } = stage.rehearsal;
    await stage.deploy('r1', first, {}, fail);
    const stuck = await stage.deploy('r2', second, unhealthy, fail);
    expect(stuck.status).toBe('UPDATE_ROLLBACK_FAILED');
    const reasons = stuck.events.map(({ reason }) => reason ?? '');
    const said = reasons.find((reason) => reason.includes("onRollback: 'fail'")) ?? '';
    expect(said).toContain('ahead of this release by 2 (0002_titles, 0003_tags)');
    const runner = /with the runner (\S+)/.exec(said)?.[1] ?? '';
    const down = { action: 'down', to: '0001_notes', confirm: 'app' };
    const { payload } = await stage.rehearsal.lambda.invoke(runner, down);
    expect(JSON.parse(payload)).toMatchObject({ ok: true });
    const home = await cloudFormation.continueUpdateRollback(STACK);
    expect(home.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await applied()).toEqual(['0001_notes']);

    await stage.deploy('r3', second, unhealthy, fail);
    const resource = cloudFormation
      .stack(STACK)
      ?.resources.find(({ type }) => type === 'Custom::ForerunMigrations');
    const skipped = await cloudFormation.continueUpdateRollback(STACK, {
      skip: [String(resource?.logicalId)],
    });
    expect(skipped.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect((await stage.deploy('r4', second, {}, fail)).status).toBe('UPDATE_COMPLETE');
    expect(await applied()).toEqual(['0001_notes', '0002_titles', '0003_tags']);
  });
});

describe("onRollback 'keep'", () => {
  test('comes home where events are rolled back before code and policies', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    const result = await stage.deploy('r2', second, unhealthy, { eventsFirst: true });
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stage.attributes()).toMatchObject({ Head: '0001_notes', Ahead: '0002_titles,0003_tags' });
  });

  test('names a migration that stopped half way without a transaction, and the next deploy finishes it', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    const halfWay = (second: string) => ({
      ...first,
      '0002_half.ts': module('0001_notes', ['create table half (n int)', second], {
        also: 'transaction: false,',
        down: ['drop table half'],
      }),
    });
    const result = await stage.deploy('r2', halfWay('insert into nowhere values (1)'));
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(result.reason).toContain('0002_half failed at statement 2');
    expect(stage.gateLog()).toContain('Half done, without a transaction: 0002_half');
    expect(stage.attributes()).toMatchObject({ Head: '0001_notes', Compatible: 'unknown' });
    const mended = await stage.deploy('r3', halfWay('insert into half values (1)'));
    expect(mended.status).toBe('UPDATE_COMPLETE');
    expect(await stage.rows('select n from half')).toEqual([{ n: 1 }]);
  });
});

describe('an upgrade of Forerun itself', () => {
  test('that is rolled back comes home in both orders', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    for (const eventsFirst of [false, true]) {
      const release = `r2-${eventsFirst ? 'events' : 'code'}`;
      const result = await stage.deploy(release, second, unhealthy, { newerForerun: true, eventsFirst });
      expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    }
    expect((await stage.deploy('r3', second)).status).toBe('UPDATE_COMPLETE');
    expect(await applied()).toEqual(['0001_notes', '0002_titles', '0003_tags']);
  });

  test('that was taken back by a deploy which fails comes home: this gate keeps the newer properties', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first, {}, { newerForerun: true });
    const result = await stage.deploy('r2', second, unhealthy, { eventsFirst: true });
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stage.gateLog()).toContain(
      'These properties (contract 99) are not the ones this gate reads; the database is kept as it is.',
    );
  });
});

const view = (text: string) => `import { repeatable } from 'forerun';
export default repeatable({ async up({ op }) { await op.execute("create or replace view shown as select '${text}' as text"); } });
`;

test('a rollback applies nothing: neither a view of the old release nor what a person has reverted', async () => {
  stage = await openStage(postgres);
  await stage.deploy('r1', { ...first, 'shown.ts': view('old') });
  const down = { action: 'down', to: 'base', confirm: 'app' };
  await stage.deploy('r2', { ...first, 'shown.ts': view('new') }, unhealthy);
  expect(await stage.rows('select text from shown')).toEqual([{ text: 'new' }]);
  expect(stage.gateLog()).toContain("In another release's form, until this one is deployed again: shown.");
  await stage.invoke(down);
  const broken = { ...first, '0002_broken.ts': module('0001_notes', ['selectt 1']), 'shown.ts': view('old') };
  const result = await stage.deploy('r3', broken);
  expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(await applied()).toEqual([]);
  expect(stage.gateLog()).toContain('It lacks 1 of this release (0001_notes)');
});
