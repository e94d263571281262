import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

const first = {
  '0001_notes.ts': module('base', ['create table notes (body text)'], { down: ['drop table notes'] }),
};
const second = { ...first, '0002_hello.ts': module('0001_notes', [`insert into notes values ('hello')`]) };

/** Stops the next run inside its transaction, after the statement of `0002_hello` ran and before its answer is seen. */
const holdRun = () =>
  stage.rehearsal.dataApi.faults.next({
    kind: 'hold-after',
    where: ({ sql }) => sql?.includes('insert into notes') === true,
  });

const applied = async (): Promise<readonly unknown[]> =>
  (await stage.rows('select id from forerun.migration order by id')).map(({ id }) => id);

describe('events that overlap or repeat', () => {
  test('the same event twice migrates once, and both gates come to an end', async () => {
    let twin: Promise<unknown> | undefined;
    onGateEvent = ({ functionArn, event }) => {
      twin ??= stage.rehearsal.lambda.invoke(functionArn, JSON.parse(event));
    };
    const result = await stage.deploy('r1', second);
    expect(result.status).toBe('CREATE_COMPLETE');
    expect(await twin).not.toHaveProperty('functionError');
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
    expect(await stage.rows(`select count(*)::int as n from forerun.event where kind = 'applied'`)).toEqual([
      { n: 2 },
    ]);
  });

  test("an update that is cancelled while its migration works: the rollback's event ends it, and nothing is said falsely", async () => {
    await stage.deploy('r1', first);
    const held = holdRun();
    const deploying = stage.deploy('r2', second);
    await held.struck;
    onGateEvent = () => {
      // The rollback has asked: the forward run may go on, and must not do anything that the rollback does not know of.
      held.release();
    };
    stage.rehearsal.cloudFormation.interrupt(STACK);
    expect((await deploying).status).toBe('UPDATE_ROLLBACK_COMPLETE');
    const standing = await applied();
    expect(stage.attributes()).toMatchObject({
      Head: '0001_notes',
      Ahead: standing.length === 2 ? '0002_hello' : '',
    });
    const retried = await stage.deploy('r3', second);
    expect(retried.status).toBe('UPDATE_COMPLETE');
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
  });

  test('a stack whose first deploy is cancelled can be made again, and migrates once', async () => {
    const held = holdRun();
    const deploying = stage.deploy('r1', second);
    await held.struck;
    onGateEvent = () => {
      // The taking back has asked; the run is still at work.
      held.release();
    };
    stage.rehearsal.cloudFormation.interrupt(STACK);
    expect((await deploying).status).toBe('ROLLBACK_COMPLETE');
    expect((await stage.deploy('r2', second)).status).toBe('CREATE_COMPLETE');
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
  });

  test('a person who goes down by hand meanwhile is waited for, and the deploy starts from what they left', async () => {
    await stage.deploy('r1', first);
    const held = stage.rehearsal.dataApi.faults.next({
      kind: 'hold-after',
      where: ({ sql }) => sql?.includes('drop table notes') === true,
    });
    const byHand = stage.invoke({ action: 'down', to: 'base', confirm: 'app' });
    await held.struck;
    const waiting = Promise.withResolvers<void>();
    onGateEvent = () => {
      waiting.resolve();
    };
    const deploying = stage.deploy('r2', second);
    await waiting.promise;
    held.release();
    expect(await byHand).toMatchObject({ ok: true, result: { outcome: 'applied' } });
    expect((await deploying).status).toBe('UPDATE_COMPLETE');
    expect(stage.attributes()).toMatchObject({ Applied: '2' });
    expect(await stage.rows('select * from notes')).toEqual([{ body: 'hello' }]);
  });
});
