import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DeployResult } from '../../local/cloudformation/start-cloudformation.ts';
import type { InvokeStart } from '../../local/lambda/start-lambda.ts';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import { module, openStage, openTheatre, STACK, type Stage } from './stage.ts';

let postgres: LocalPostgres;
let stage: Stage;
/** Called with each event that the gate gets, before it gets it. */
let onGateEvent: (start: InvokeStart) => void;

beforeAll(async () => {
  postgres = await openTheatre();
});
afterAll(async () => {
  await postgres.stop();
});
beforeEach(async () => {
  onGateEvent = () => undefined;
  stage = await openStage(postgres, {
    onInvoke(start): undefined {
      if (start.mode === 'Event' && start.functionName.includes('Gate')) onGateEvent(start);
    },
  });
});
afterEach(async () => {
  await stage.close();
});

const AFTER = { also: `phase: 'after',` };

const first = {
  '0001_notes.ts': module('base', ['create table notes (old text)'], { down: ['drop table notes'] }),
};
const expand = {
  ...first,
  '0002_body.ts': module('0001_notes', ['alter table notes add column body text'], {
    down: ['alter table notes drop column body'],
    compatible: true,
  }),
};
const contracted = {
  ...expand,
  '0003_contract.ts': module('0002_body', ['alter table notes drop column old'], {
    ...AFTER,
    down: ['alter table notes add column old text'],
    compatible: false,
  }),
};
/** The same, with a statement that the database does not take. */
const broken = {
  ...expand,
  '0003_contract.ts': module('0002_body', ['alter table notes drop column olt'], AFTER),
};

const unhealthy = { AppAliaslive: 'unhealthy' };
/** What comes behind the after-resource and fails. */
const late = { Late: 'made to fail behind the after-work' };

const applied = async (): Promise<readonly unknown[]> =>
  (await stage.rows('select id from forerun.migration order by id')).map(({ id }) => id);

const columns = async (): Promise<readonly unknown[]> =>
  (
    await stage.rows(
      `select column_name as name from information_schema.columns where table_name = 'notes' order by 1`,
    )
  ).map(({ name }) => name);

/** Where among the events of a deploy these resources came to this. */
const at = ({ events }: DeployResult, id: string, status: string): number =>
  events.findLastIndex((event) => event.logicalId.startsWith(id) && event.status.includes(status));

describe('after-work', () => {
  test('waits for the app to be live, in the same deploy', async () => {
    await stage.deploy('r1', first);
    const result = await stage.deploy('r2', contracted);
    expect(result.status).toBe('UPDATE_COMPLETE');
    const moments = [
      at(result, 'Migrations23', 'COMPLETE'),
      at(result, 'AppAliaslive', 'COMPLETE'),
      at(result, 'MigrationsAfter', 'IN_PROGRESS'),
    ];
    expect(moments).toEqual(moments.toSorted((one, other) => one - other));
    expect(moments[0]).toBeGreaterThan(0);
    expect(await columns()).toEqual(['body']);
    expect(stage.gateLog()).toContain(
      'Applied 1; the database is ready for 0003_contract; once the app is live: 0003_contract.',
    );
    expect(stage.attributes()).toMatchObject({ Head: '0003_contract', Applied: '1', Compatible: 'yes' });
    expect((await stage.invoke({ action: 'history' })).runs).toMatchObject([
      { action: 'up', phase: 'after', outcome: 'applied', applied: ['0003_contract'] },
      { action: 'up', phase: 'before', outcome: 'applied', applied: ['0002_body'] },
      { action: 'up', phase: 'before', outcome: 'applied', applied: ['0001_notes'] },
    ]);
  });

  test('never ran where the app fails, and runs with the next deploy', async () => {
    await stage.deploy('r1', first);
    const result = await stage.deploy('r2', contracted, unhealthy);
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(at(result, 'MigrationsAfter', '')).toBe(-1);
    expect(await columns()).toEqual(['body', 'old']);
    expect((await stage.invoke({ action: 'status' })).status?.foreign).toEqual(['0002_body']);
    expect((await stage.deploy('r3', contracted)).status).toBe('UPDATE_COMPLETE');
    expect(await columns()).toEqual(['body']);
  });

  test('that fails lets the deploy succeed, and tells: log, metric, journal and status', async () => {
    await stage.deploy('r1', first);
    const result = await stage.deploy('r2', broken);
    expect(result.status).toBe('UPDATE_COMPLETE');
    expect(await columns()).toEqual(['body', 'old']);
    expect(stage.gateLog()).toContain(
      'SUCCESS: The app is live and stays so, but the migrations after it are not done: 0003_contract failed at statement 1',
    );
    expect(stage.gateLog()).toContain('The next deploy that asks the database tries again');
    expect(stage.gateLog()).toContain('"AfterFailed":1');
    const { status } = await stage.invoke({ action: 'status' });
    expect(status).toMatchObject({ pending: ['0003_contract'], waiting: ['0003_contract'] });
    expect((await stage.invoke({ action: 'history', limit: 1 })).runs).toMatchObject([
      { phase: 'after', outcome: 'rolled-back', applied: [] },
    ]);

    const mended = await stage.deploy('r3', contracted);
    expect(mended.status).toBe('UPDATE_COMPLETE');
    expect(await columns()).toEqual(['body']);
    expect(stage.gateLog()).toContain('"AfterFailed":0');
  });

  test('that fails takes the app back where that was asked for', async () => {
    const strict = { props: { onAfterFailure: 'fail' } } as const;
    await stage.deploy('r1', first, {}, strict);
    const result = await stage.deploy('r2', broken, {}, strict);
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(result.reason).toContain('0003_contract failed at statement 1');
    expect(at(result, 'AppAliaslive', 'UPDATE_COMPLETE')).toBeGreaterThan(0);
    expect(await applied()).toEqual(['0001_notes', '0002_body']);
  });

  test('left by a deploy is done by the next one, also where that changes only the app', async () => {
    const wantsRows = {
      ...expand,
      '0003_contract.ts': module(
        '0002_body',
        ['select 1 / (select count(*) from notes)', 'alter table notes drop column old'],
        AFTER,
      ),
    };
    await stage.deploy('r1', wantsRows);
    expect(await columns()).toEqual(['body', 'old']);
    await stage.rows(`insert into notes values ('old', 'body')`);
    const result = await stage.deploy('r2', wantsRows);
    expect(result.status).toBe('UPDATE_COMPLETE');
    expect(await columns()).toEqual(['body']);
  });

  test('of two deploys runs together, and new work before the app does not wait for it', async () => {
    await stage.deploy('r1', first);
    await stage.deploy('r2', broken);
    const both = {
      ...expand,
      '0003_tags.ts': module('0002_body', ['create table tags (name text)']),
      '0004_contract.ts': module('0003_tags', ['alter table notes drop column old'], AFTER),
      '0005_more.ts': module('0004_contract', ['alter table tags drop column name'], AFTER),
    };
    expect((await stage.deploy('r3', both)).status).toBe('UPDATE_COMPLETE');
    expect(await applied()).toEqual(['0001_notes', '0002_body', '0003_tags', '0004_contract', '0005_more']);
    expect((await stage.invoke({ action: 'history', limit: 2 })).runs).toMatchObject([
      { applied: ['0004_contract', '0005_more'] },
      { applied: ['0003_tags'] },
    ]);
  });

  test('of releases long past is no hindrance to a database that is new', async () => {
    const all = {
      ...contracted,
      '0004_tags.ts': module('0003_contract', ['create table tags (name text)']),
      '0005_last.ts': module('0004_tags', ['create table last (n int)'], AFTER),
    };
    const result = await stage.deploy('r1', all);
    expect(result.status).toBe('CREATE_COMPLETE');
    expect((await stage.invoke({ action: 'history' })).runs).toMatchObject([
      { phase: 'after', applied: ['0005_last'] },
      { phase: 'before', applied: ['0001_notes', '0002_body', '0003_contract', '0004_tags'] },
    ]);
  });
});

test('work before the app that stands on pending after-work is refused early: nothing is done, the app stays', async () => {
  await stage.deploy('r1', expand);
  const behind = {
    ...contracted,
    '0004_tags.ts': module('0003_contract', ['create table tags (name text)']),
  };
  const result = await stage.deploy('r2', behind);
  expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(result.reason).toContain('0004_tags stands on 0003_contract, which is pending');
  expect(result.reason).toContain('Deploy in two steps: first the release that ends with 0003_contract');
  expect(at(result, 'AppAliaslive', '')).toBe(-1);
  expect((await stage.deploy('r3', contracted)).status).toBe('UPDATE_COMPLETE');
  expect((await stage.deploy('r4', behind)).status).toBe('UPDATE_COMPLETE');
  expect(await applied()).toEqual(['0001_notes', '0002_body', '0003_contract', '0004_tags']);
});

describe('a rollback behind the after-work', () => {
  const revert = { late: true, props: { onRollback: 'revert' } } as const;

  test.each([
    ['code before events', false],
    ['events before code', true],
  ])("with 'revert' takes both phases back, newest first (%s)", async (_order, eventsFirst) => {
    await stage.deploy('r1', first, {}, revert);
    const result = await stage.deploy('r2', contracted, late, { ...revert, eventsFirst });
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(await applied()).toEqual(['0001_notes']);
    expect(await columns()).toEqual(['old']);
    expect(stage.gateLog()).toContain('Reverted, newest first: 0003_contract, 0002_body.');
    expect(at(result, 'MigrationsUndo', 'DELETE_COMPLETE')).toBeGreaterThan(
      at(result, 'AppAliaslive', 'UPDATE_COMPLETE'),
    );
    expect((await stage.deploy('r3', contracted, {}, revert)).status).toBe('UPDATE_COMPLETE');
    expect(await columns()).toEqual(['body']);
  });

  test("with 'keep' leaves both, and says that the old app does not work with them", async () => {
    await stage.deploy('r1', first, {}, { late: true });
    const result = await stage.deploy('r2', contracted, late, { late: true });
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stage.attributes()).toMatchObject({ Ahead: '0002_body,0003_contract', Compatible: 'no' });
  });

  test('applies nothing, even where the migrations are the same and an earlier deploy has left some', async () => {
    await stage.deploy('r1', broken, {}, { late: true });
    const runs = async (): Promise<unknown> =>
      stage.rows(`select phase, count(*)::int as n from (select result ->> 'phase' as phase from forerun.run
                  where action = 'up') as up group by phase order by phase`);
    expect(await runs()).toEqual([
      { phase: 'after', n: 1 },
      { phase: 'before', n: 1 },
    ]);
    const result = await stage.deploy('r2', broken, late, { late: true });
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    // The way forward tried again; the rollback came to the same resource and tried nothing. Before the app there was nothing to
    // do either time, and each asking left its row.
    expect(await runs()).toEqual([
      { phase: 'after', n: 2 },
      { phase: 'before', n: 3 },
    ]);
    expect(at(result, 'MigrationsAfter', 'COMPLETE')).toBeGreaterThan(at(result, 'Late', 'FAILED'));
  });

  test('ends after-work that is still running, whichever resource is asked first', async () => {
    await stage.deploy('r1', contracted);
    const next = {
      ...contracted,
      '0004_more.ts': module('0003_contract', [`insert into notes values ('more')`], AFTER),
    };
    const held = stage.rehearsal.dataApi.faults.next({
      kind: 'hold-after',
      where: ({ sql }) => sql?.includes('insert into notes') === true,
    });
    const deploying = stage.deploy('r2', next);
    await held.struck;
    const asked: string[] = [];
    onGateEvent = ({ event }) => {
      asked.push(String((JSON.parse(event) as { LogicalResourceId: unknown }).LogicalResourceId));
      held.release();
    };
    stage.rehearsal.cloudFormation.interrupt(STACK);
    expect((await deploying).status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(asked).toHaveLength(2);
    const standing = await applied();
    const ahead = standing.includes('0004_more') ? '0004_more' : '';
    expect(stage.attributes()).toMatchObject({ Head: '0003_contract', Ahead: ahead });
    expect((await stage.deploy('r3', next)).status).toBe('UPDATE_COMPLETE');
    expect(await stage.rows('select body from notes')).toEqual([{ body: 'more' }]);
  });
});

test('the deletion of the stack takes both phases back where that was asked for, once the app is gone', async () => {
  const props = { props: { onDelete: 'revert' } } as const;
  await stage.deploy('r1', contracted, {}, props);
  await stage.rehearsal.cloudFormation.destroy(STACK);
  expect(await applied()).toEqual([]);
});
