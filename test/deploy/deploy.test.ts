import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';
import type { InvokeFault } from '../../local/lambda/start-lambda.ts';
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

const notes = module('base', ['create table notes (body text)'], { down: ['drop table notes'] });
const first = { '0001_notes.ts': notes };
const second = { ...first, '0002_hello.ts': module('0001_notes', [`insert into notes values ('hello')`]) };

describe('a deploy', () => {
  test('migrates before the alias moves, and tells what it did', async () => {
    stage = await openStage(postgres);
    const result = await stage.deploy('r1', second);
    expect(result.status).toBe('CREATE_COMPLETE');
    const ends = result.events
      .filter(({ status }) => status === 'CREATE_COMPLETE')
      .map(({ logicalId }) => logicalId);
    const at = (id: string): number => ends.findIndex((end) => end.startsWith(id));
    expect(at('Migrations23')).toBeLessThan(at('AppAlias'));
    expect(at('MigrationsRunnerCurrentVersion')).toBeLessThan(at('Migrations23'));
    expect(stage.attributes()).toMatchObject({
      Head: '0002_hello',
      Applied: '2',
      Outcome: 'applied',
      DeployId: 'r1',
    });
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
  });

  test('of the same template again changes nothing and calls nobody', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    stage.rehearsal.dataApi.resetCalls();
    const again = await stage.deploy('r1', first);
    expect(again.kind).toBe('no-changes');
    expect(stage.rehearsal.dataApi.calls()).toEqual([]);
  });

  test('that changes only the app asks the database once, and leaves the runner as it is', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    stage.rehearsal.dataApi.resetCalls();
    const result = await stage.deploy('r2', first);
    expect(result.status).toBe('UPDATE_COMPLETE');
    expect(stage.rehearsal.dataApi.calls()).toHaveLength(1);
    expect(result.events.filter(({ logicalId }) => logicalId.startsWith('MigrationsRunner'))).toEqual([]);
  });

  test('whose code is not the code of its template is refused as stale, and touches nothing', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    stage.rehearsal.dataApi.resetCalls();
    const answer = await stage.invoke({
      action: 'up',
      deploy: {
        deployId: 'r2',
        owner: 'o',
        runKey: 'k',
        digest: 'another',
        deadlineMs: Date.now() + 60_000,
        askedAtMs: null,
      },
    });
    expect(answer).toMatchObject({ ok: false, error: { code: 'bundle-stale' } });
    expect(stage.rehearsal.dataApi.calls()).toEqual([]);
  });

  test('to a database that sleeps wakes it up and waits for it', async () => {
    stage = await openStage(postgres);
    const asleep = [1, 2, 3].map((nth) => stage.rehearsal.dataApi.faults.next({ kind: 'resuming', nth }));
    const result = await stage.deploy('r1', second);
    await Promise.all(asleep.map(({ struck }) => struck));
    expect(result.status).toBe('CREATE_COMPLETE');
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
  });

  test('with a first migration that is broken rolls back to nothing, and says why', async () => {
    stage = await openStage(postgres);
    const broken = { '0001_broken.ts': module('base', ['create table kept (n int)', 'selectt 1']) };
    const result = await stage.deploy('r1', broken);
    expect(result.status).toBe('ROLLBACK_COMPLETE');
    expect(result.reason).toContain('0001_broken failed at statement 2 (SQLSTATE 42601)');
    expect(result.reason).toContain('Nothing of it stays: its transaction was rolled back.');
    expect(await stage.rows(`select to_regclass('kept')::text as kept`)).toEqual([{ kept: null }]);
    const mended = await stage.deploy('r2', {
      '0001_broken.ts': module('base', ['create table kept (n int)']),
    });
    expect(mended.status).toBe('CREATE_COMPLETE');
  });

  test('whose app fails keeps the database and tells how far it is ahead', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    const breaking = {
      ...first,
      '0002_rename.ts': module('0001_notes', ['alter table notes rename body to txt'], { compatible: false }),
    };
    const result = await stage.deploy('r2', breaking, { AppAliaslive: 'unhealthy' });
    expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stage.attributes()).toMatchObject({ Head: '0001_notes', Ahead: '0002_rename', Compatible: 'no' });
    expect(stage.gateLog()).toContain(
      'ahead of this release by 1 (0002_rename); this release works with it: no',
    );
    const retried = await stage.deploy('r3', breaking);
    expect(retried.status).toBe('UPDATE_COMPLETE');
    expect(stage.attributes()).toMatchObject({ Head: '0002_rename', Applied: '0' });
  });

  test('of an older release is refused, unless what it does not know is compatible', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', second);
    const refused = await stage.deploy('r2', first);
    expect(refused.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(refused.reason).toContain('The database is ahead of this release by 1: 0002_hello.');
    const compatible = {
      ...second,
      '0003_more.ts': module('0002_hello', ['create table more (n int)'], { compatible: true }),
    };
    await stage.deploy('r3', compatible);
    const allowed = await stage.deploy('r4', second);
    expect(allowed.status).toBe('UPDATE_COMPLETE');
    expect(stage.attributes()).toMatchObject({ Head: '0002_hello', Compatible: 'yes' });
  });

  test('of a branch whose migration would run beside a foreign one is refused, however compatible that one is', async () => {
    stage = await openStage(postgres);
    const theirs = {
      ...first,
      '0002_a.ts': module('0001_notes', ['create table a (n int)'], { compatible: true }),
    };
    await stage.deploy('r1', theirs);
    const ours = { ...first, '0002_b.ts': module('0001_notes', ['create table b (n int)']) };
    const refused = await stage.deploy('r2', ours);
    expect(refused.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(refused.reason).toContain('Applied, but missing from this release: 0002_a');
    expect(await stage.rows(`select to_regclass('b')::text as b`)).toEqual([{ b: null }]);
  });

  test('that deletes the stack keeps the data and calls nobody', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', second);
    stage.rehearsal.dataApi.resetCalls();
    const { status } = await stage.rehearsal.cloudFormation.destroy(STACK);
    expect(status).toBe('DELETE_COMPLETE');
    expect(stage.rehearsal.dataApi.calls()).toEqual([]);
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
  });
});

test("a stack with onDelete 'revert' takes its migrations along, but not when only the construct goes", async () => {
  stage = await openStage(postgres);
  const revert = { props: { onDelete: 'revert' } } as const;
  await stage.deploy('r1', first, {}, revert);
  await stage.deploy('r2', first, {}, { ...revert, construct: 'MigrationsRenamed' });
  expect(await stage.rows('select id from forerun.migration')).toEqual([{ id: '0001_notes' }]);
  await stage.rehearsal.cloudFormation.destroy(STACK);
  expect(await stage.rows('select id from forerun.migration')).toEqual([]);
  expect(await stage.rows(`select to_regclass('notes')::text as notes`)).toEqual([{ notes: null }]);
});

describe('a runner in trouble', () => {
  test.each([
    // Its message may hold anything, so it stays in the runner's log.
    ['throws while it loads', `throw new RangeError('no such region');`, 'without an answer: RangeError.'],
    ['ends its process', `process.exit(3);`, 'Runtime exited'],
  ])('that %s gives a failed deploy with a reason', async (_claim, trouble, reason) => {
    stage = await openStage(postgres);
    // Only inside Lambda, so that the build does not see it.
    const inLambda = `if (process.env.AWS_LAMBDA_FUNCTION_NAME) { ${trouble} }\n${notes}`;
    const result = await stage.deploy('r1', { '0001_notes.ts': inLambda });
    expect(result.status).toBe('ROLLBACK_COMPLETE');
    expect(result.reason).toContain(reason);
    expect(result.reason).toContain('Look into the log of the runner function');
  });

  test('whose answer is lost is asked again under the same key and runs once', async () => {
    const lost: string[] = [];
    stage = await openStage(postgres, {
      onInvoke({ functionName, mode }): InvokeFault | undefined {
        if (mode !== 'RequestResponse' || !functionName.includes('Runner') || lost.length > 0)
          return undefined;
        lost.push(functionName);
        return 'lose-answer';
      },
    });
    const result = await stage.deploy('r1', second);
    expect(lost.length).toBe(1);
    expect(result.status).toBe('CREATE_COMPLETE');
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
    expect(await stage.rows('select count(*)::int as runs from forerun.run')).toEqual([{ runs: 1 }]);
  });

  test('that is throttled at first is asked again', async () => {
    let throttled = 0;
    stage = await openStage(postgres, {
      onInvoke({ functionName, mode }): InvokeFault | undefined {
        if (mode !== 'RequestResponse' || !functionName.includes('Runner') || throttled === 2)
          return undefined;
        throttled += 1;
        return 'throttle';
      },
    });
    const result = await stage.deploy('r1', second);
    expect(throttled).toBe(2);
    expect(result.status).toBe('CREATE_COMPLETE');
  });
});

describe('a person at the runner', () => {
  test('sees status, plan and history, and moves up and down', async () => {
    stage = await openStage(postgres);
    const three = {
      ...first,
      '0002_more.ts': module('0001_notes', ['create table more (n int)'], { down: ['drop table more'] }),
    };
    await stage.deploy('r1', three);
    const status = await stage.invoke({ action: 'status' });
    expect(status.status).toMatchObject({ installed: true, pending: [], foreign: [] });
    expect(status.status?.applied.map(({ id }) => id)).toEqual(['0001_notes', '0002_more']);
    const plan = await stage.invoke({ action: 'plan', direction: 'down', to: '0001_notes' });
    expect(plan.plan?.groups).toEqual([['0002_more']]);
    const down = await stage.invoke({ action: 'down', to: '0001_notes', confirm: 'app' });
    expect(down.result).toMatchObject({
      outcome: 'applied',
      steps: [{ migration: '0002_more', outcome: 'applied' }],
    });
    expect((await stage.invoke({ action: 'status' })).status?.pending).toEqual(['0002_more']);
    const up = await stage.invoke({ action: 'up' });
    expect(up.result?.steps).toEqual([{ migration: '0002_more', outcome: 'applied' }]);
    const history = await stage.invoke({ action: 'history' });
    expect(history.runs?.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'up applied',
      'down applied',
      'up applied',
    ]);
  });

  test('who sends what the runner does not understand gets a clear error, and nothing is done', async () => {
    stage = await openStage(postgres);
    await stage.deploy('r1', first);
    stage.rehearsal.dataApi.resetCalls();
    const misunderstood: readonly (readonly [event: unknown, names: string])[] = [
      [{ action: 'upp' }, 'action'],
      [{}, 'action'],
      ['up', 'The event is not one'],
      [{ action: 'up', two: '0001_notes' }, 'two'],
      [{ action: 'history', limit: 'all' }, 'limit'],
      [{ action: 'down' }, 'to'],
      [{ action: 'up', target: { history: `x'; drop` } }, 'target.history'],
    ];
    for (const [event, names] of misunderstood) {
      const answer = await stage.invoke(event);
      expect(answer).toMatchObject({ ok: false, error: { code: 'input-invalid' } });
      expect(answer.error?.text.what).toContain(names);
      expect(answer.error?.text.state).toBe('The database was not touched.');
    }
    expect(stage.rehearsal.dataApi.calls()).toEqual([]);
  });
});

describe('secrets', () => {
  test('appear in no log, answer or journal', async () => {
    stage = await openStage(postgres);
    const result = await stage.deploy('r1', {
      '0001_account.ts': `import { migration, sql, irreversible } from 'forerun';
export default migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table account (token text primary key)');
    await op.execute(sql\`insert into account values (\${'tok-5ecret-value'})\`);
    await op.execute(sql\`insert into account values (\${'tok-5ecret-value'})\`);
  },
  down: irreversible('the test says so'),
});`,
    });
    expect(result.reason).toContain('SQLSTATE 23505');
    const everything = JSON.stringify([
      result,
      stage.gateLog(),
      stage.runnerLog(),
      stage.rehearsal.dataApi.calls(),
      await stage.rows('select * from forerun.run'),
    ]);
    expect(everything).not.toContain('5ecret');
    expect(everything).not.toContain(postgres.password);
    expect(stage.gateLog()).not.toContain('http://');
  });
});
