import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openGateBench, PROPERTIES, STACK_ID, type GateBench } from './gate-bench.ts';

let bench: GateBench;
let log: string[];

beforeAll(async () => {
  bench = await openGateBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(() => {
  bench.invokes.length = 0;
  bench.answers.length = 0;
  log = [];
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    log.push(String(text));
    return true;
  });
  return () => {
    spy.mockRestore();
  };
});

const AFTER = { ...PROPERTIES, Phase: 'after', RunsAs: 'Migrations' };
const after = (more: object = {}) => ({
  LogicalResourceId: 'MigrationsAfter',
  ResourceType: 'Custom::ForerunAfter',
  ResourceProperties: { ...AFTER, ...more },
});
const update = (more: object = {}) => ({
  ...after(more),
  RequestType: 'Update',
  PhysicalResourceId: 'forerun-migrations',
  OldResourceProperties: { ...AFTER, DeployId: 'r1' },
});

const answer = (more: object): string =>
  `return ${JSON.stringify({
    ok: true,
    action: 'up',
    log: 'group stream',
    result: { runId: 'run', action: 'up', outcome: 'applied', steps: [], error: null, ...more },
  })};`;
const DONE = answer({ steps: [{ migration: '0002_two', outcome: 'applied' }] });
const text = { what: 'What happened.', state: 'State of things.', next: 'What to do.' };
const FAILS = answer({ outcome: 'rolled-back', error: { code: 'migration-failed', text, place: {} } });
const SETTLED = `return ${JSON.stringify({
  ok: true,
  action: 'settle',
  log: 'group stream',
  verdict: {
    fenced: true,
    ahead: [],
    pending: [],
    waiting: ['0002_two'],
    compatible: 'yes',
    dataApiCalls: 5,
  },
})};`;

/** What was measured, or undefined. */
const measured = (): unknown =>
  log.flatMap((line) => (line.includes('"DeployFailed"') ? [JSON.parse(line) as object] : [])).at(-1);

describe('the resource after the app', () => {
  test('asks for its phase, as the resource before the app', async () => {
    expect(await bench.ask(DONE, after())).toMatchObject({ Status: 'SUCCESS', Data: { Applied: '1' } });
    expect(bench.invokes).toMatchObject([
      { event: { action: 'up', phase: 'after', deploy: { owner: `${STACK_ID}/Migrations` } } },
    ]);
    expect(measured()).toMatchObject({ DeployFailed: 0, AfterFailed: 0 });
  });

  test.each([
    ['the migrations fail', FAILS, 'What happened. State of things. What to do.'],
    ['the runner ends', 'process.exit(1);', 'the runner ended without an answer'],
    ['the runner says what nobody knows', 'return 42;', 'an answer that is not its own'],
  ])('lets the deploy go on where %s, and tells', async (_case, body, why) => {
    const answered = await bench.ask(body, after());
    expect(answered).toMatchObject({ Status: 'SUCCESS', Data: { Head: '0002_two', Outcome: 'not-run' } });
    expect(answered?.Reason).toMatch(
      /^The app is live and stays so, but the migrations after it are not done: /,
    );
    expect(answered?.Reason.toLowerCase()).toContain(why.toLowerCase());
    expect(answered?.Reason).toMatch(/The next deploy that asks the database tries again; .* does it now\.$/);
    expect(measured()).toMatchObject({ DeployFailed: 0, AfterFailed: 1 });
  });

  test('lets the deploy go on where its own properties cannot be read', async () => {
    expect(await bench.ask(DONE, after({ ContractVersion: '0' }))).toMatchObject({ Status: 'SUCCESS' });
    expect(bench.invokes).toEqual([]);
  });

  test('fails the deploy where that was asked for', async () => {
    const answered = await bench.ask(FAILS, after({ OnAfterFailure: 'fail' }));
    expect(answered).toMatchObject({ Status: 'FAILED' });
    expect(measured()).toMatchObject({ DeployFailed: 1, AfterFailed: 1 });
  });

  test('applies nothing in a rollback, also where the migrations are the same: it settles', async () => {
    const answered = await bench.ask(SETTLED, update(), { stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
    expect(answered).toMatchObject({ Status: 'SUCCESS' });
    expect(answered?.Reason).toContain('Left to the next deploy, once its app is live: 0002_two.');
    expect(bench.invokes.map(({ event }) => event['action'])).toEqual(['settle']);
    expect(measured()).not.toHaveProperty('AfterFailed');
  });

  test('applies nothing where nobody can say whether it is a rollback', async () => {
    const answered = await bench.ask(DONE, update());
    expect(answered).toMatchObject({ Status: 'SUCCESS' });
    expect(answered?.Reason).toContain('could not be asked');
    expect(bench.invokes).toEqual([]);
    expect(measured()).toMatchObject({ AfterFailed: 1 });
  });

  test('goes on in an update that is none', async () => {
    await bench.ask(DONE, update(), { stackStatus: 'UPDATE_IN_PROGRESS' });
    expect(bench.invokes.map(({ event }) => event['action'])).toEqual(['up']);
  });

  test.each(['fail', 'revert'])(
    'leaves it to the first resource what %s means for a rollback',
    async (OnRollback) => {
      const event = update({ OnRollback });
      const rollingBack = { ...event, OldResourceProperties: { ...AFTER, OnRollback, Digest: 'd9' } };
      const answered = await bench.ask(SETTLED, rollingBack, { stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
      expect(answered).toMatchObject({ Status: 'SUCCESS' });
      expect(answered?.Reason).not.toContain('is reverted once');
    },
  );

  test('takes nothing back when it is deleted: the first resource does', async () => {
    const gone = { ...update({ OnDelete: 'revert' }), RequestType: 'Delete' };
    expect(await bench.ask(DONE, gone, { stackStatus: 'DELETE_IN_PROGRESS' })).toMatchObject({
      Status: 'SUCCESS',
    });
    expect(bench.invokes).toEqual([]);
  });
});
