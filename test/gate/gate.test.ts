import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openGateBench, PROPERTIES, STACK_ID, type GateBench } from './gate-bench.ts';

let bench: GateBench;

beforeAll(async () => {
  bench = await openGateBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(() => {
  for (const list of [bench.faults, bench.putStatuses, bench.invokes, bench.answers, bench.described]) {
    list.length = 0;
  }
});

const result = (more: object): string =>
  JSON.stringify({
    ok: true,
    action: 'up',
    log: 'group stream',
    result: {
      runId: 'run-1',
      action: 'up',
      outcome: 'applied',
      steps: [],
      error: null,
      dataApiCalls: 1,
      repeated: false,
      ...more,
    },
  });
const APPLIED = `return ${result({ steps: [{ migration: '0002_two', outcome: 'applied' }] })};`;
const failure = (code: string, place: object = {}): string =>
  result({
    outcome: 'rolled-back',
    error: {
      code,
      text: { what: 'What happened.', state: 'State of things.', next: 'What to do.' },
      place,
    },
  });

const update = { RequestType: 'Update', PhysicalResourceId: 'forerun-migrations' };
/** The Update of a rollback: the older release's properties, and the failed ones as the old. */
const swapped = (old: object = {}) => ({
  ...update,
  ResourceProperties: { ...PROPERTIES, Head: '0001_one', Digest: 'd1', DeployId: 'r1' },
  OldResourceProperties: { ...PROPERTIES, ...old },
});
const settled = (verdict: object): string =>
  JSON.stringify({
    ok: true,
    action: 'settle',
    log: 'group stream',
    verdict: { fenced: true, ahead: [], pending: [], compatible: 'yes', dataApiCalls: 5, ...verdict },
  });
/** A runner that finds the database ahead, and says so when it settles. */
const ahead = (verdict: object): string =>
  `return event.action === 'settle' ? ${settled({ ahead: ['0002_two'], ...verdict })} : ${failure('plan-ahead')};`;

describe('the gate answers when the runner', () => {
  test('runs out of memory', async () => {
    const answer = await bench.ask(`const all = []; for (;;) all.push(new Array(1e6).fill(all.length));`);
    expect(answer).toMatchObject({ Status: 'FAILED' });
    expect(answer?.Reason).toContain('Look into the log of the runner function');
    expect(bench.invokes).toHaveLength(1);
  });

  test('hangs until Lambda ends it', async () => {
    const answer = await bench.ask(`for (;;);`, {}, { runnerSeconds: 1 });
    expect(answer).toMatchObject({ Status: 'FAILED' });
    expect(answer?.Reason).toMatch(/timed out/i);
    expect(bench.invokes).toHaveLength(1);
  });

  test.each([
    ['throws', `throw new RangeError('hunter2');`, 'RangeError'],
    [
      'lets a rejection go',
      `Promise.reject(new RangeError('hunter2')); await new Promise(() => {});`,
      'Unhandled',
    ],
  ])('%s, without a word of the message', async (_case, body, kind) => {
    const answer = await bench.ask(body);
    expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining(kind) });
    expect(answer?.Reason).not.toContain('hunter2');
  });

  test.each([
    ['says nothing', 'return;'],
    ['says something that is no object', 'return 42;'],
    ['says something that it does not know', 'return { ok: true, action: "dance" };'],
  ])('%s', async (_case, body) => {
    const answer = await bench.ask(body);
    expect(answer).toMatchObject({ Status: 'FAILED' });
    expect(answer?.Reason).toContain('The runner gave an answer that');
  });

  test('is refused to it for the whole of its time: then it says that nothing was touched', async () => {
    bench.faults.push(...Array.from({ length: 50 }, () => 'throttle' as const));
    const answer = await bench.ask(APPLIED, {}, { remainingMs: 20_000 });
    expect(answer).toMatchObject({ Status: 'FAILED' });
    expect(answer?.Reason).toContain('TooManyRequestsException');
    expect(answer?.Reason).toContain('The database was not touched.');
  });
});

test.each(['deny', 'pending', 'throttle'] as const)(
  'a runner that Lambda refuses at first (%s) is asked again with the same key',
  async (fault) => {
    bench.faults.push(fault);
    const answer = await bench.ask(APPLIED);
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { Applied: '1' } });
    const keys = bench.invokes.map(({ event }) => (event['deploy'] as { runKey: string }).runKey);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  },
);

test('a request that got lost on its way is asked again with the same key', async () => {
  bench.faults.push('lose-request');
  expect(await bench.ask(APPLIED)).toMatchObject({ Status: 'SUCCESS' });
  expect(bench.invokes).toHaveLength(2);
});

test('a RequestId that CloudFormation uses again on a retried deploy makes another run', async () => {
  await bench.ask(APPLIED, { RequestId: 'same' }, { awsRequestId: 'first' });
  await bench.ask(APPLIED, { RequestId: 'same' }, { awsRequestId: 'second' });
  const keys = bench.invokes.map(({ event }) => (event['deploy'] as { runKey: string }).runKey);
  expect(new Set(keys).size).toBe(2);
});

test('a statement that outlasts the runner is waited for once more, with the same key', async () => {
  const calls = `global.calls = (global.calls ?? 0) + 1;`;
  const answer = await bench.ask(
    `${calls} return global.calls === 1 ? ${failure('statement-running')} : ${result({})};`,
  );
  expect(answer).toMatchObject({ Status: 'SUCCESS' });
  const deploys = bench.invokes.map(({ event }) => event['deploy'] as { runKey: string; deadlineMs: number });
  expect(deploys).toHaveLength(2);
  expect(deploys[1]?.runKey).toBe(deploys[0]?.runKey);
  expect(deploys[1]?.deadlineMs).toBeGreaterThan(deploys[0]?.deadlineMs ?? Infinity);
});

test('a statement that is still at work after both asks fails the deploy and says so', async () => {
  const answer = await bench.ask(`return ${failure('statement-running')};`);
  expect(answer).toMatchObject({ Status: 'FAILED' });
  expect(bench.invokes).toHaveLength(2);
});

test('a failure names migration, statement, SQLSTATE and log, and stays within 4096 bytes', async () => {
  const sql = `insert into articles values ('${'x'.repeat(5_000)}')`;
  const answer = await bench.ask(
    `return ${failure('migration-failed', { migration: '0002_two', statement: 1, sql, sqlState: '23505' })};`,
  );
  expect(answer?.bytes).toBeLessThanOrEqual(4_096);
  expect(answer?.Reason).toMatch(
    /^What happened\. State of things\. What to do\. Statement: insert into articles/,
  );
  expect(answer?.Reason).toMatch(/Log: group stream\.$/);
});

describe('an answer that is not taken', () => {
  test('is put again until it is', async () => {
    bench.putStatuses.push(500, 503);
    await bench.ask(APPLIED);
    expect(bench.answers).toHaveLength(1);
  });

  test('is not put for long where its URL has expired', async () => {
    bench.putStatuses.push(500, ...Array.from({ length: 50 }, () => 403));
    await expect(bench.ask(APPLIED)).rejects.toThrow('did not take the answer (status 403)');
    expect(bench.putStatuses).toHaveLength(47);
  });

  test('to the end of the time makes the gate fail, so that Lambda hands the event in again', async () => {
    bench.putStatuses.push(...Array.from({ length: 50 }, () => 500));
    await expect(bench.ask(APPLIED, {}, { remainingMs: 23_000 - 20_000 })).rejects.toThrow(
      'CloudFormation did not take the answer (status 500)',
    );
  });
});

test('a request on which CloudFormation has given up is dropped: nothing is run and nothing is answered', async () => {
  expect(await bench.ask(APPLIED, {}, { ageSeconds: 1_100 })).toBeUndefined();
  expect(bench.invokes).toEqual([]);
});

test.each([
  { ageSeconds: 900, answers: 1 },
  { ageSeconds: 1_100, answers: 0 },
])('the age of a request is also known of a ResponseURL signed the old way: $ageSeconds s', async (aged) => {
  const expires = Math.round(Date.now() / 1000) - aged.ageSeconds + 7_200;
  await bench.ask(APPLIED, { ResponseURL: `${bench.answersUrl}?AWSAccessKeyId=A&Expires=${expires}` });
  expect(bench.answers).toHaveLength(aged.answers);
});

test('properties that are not ours are refused without asking the runner', async () => {
  const answer = await bench.ask(APPLIED, { ResourceProperties: { ContractVersion: '1' } });
  expect(answer).toMatchObject({ Status: 'FAILED' });
  expect(answer?.Reason).toContain('The database was not touched.');
  expect(bench.invokes).toEqual([]);
});

describe('a rollback', () => {
  const stackStatus = 'UPDATE_ROLLBACK_IN_PROGRESS';

  test('of a release that this gate does not know any more is let through', async () => {
    const newer = { ContractVersion: '99', Head: '0009', DeployId: 'r9' };
    const answer = await bench.ask(APPLIED, { ...update, ResourceProperties: newer }, { stackStatus });
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { Head: '0009', Ahead: 'unknown' } });
    expect(bench.invokes).toEqual([]);
  });

  test('from a newer release is settled by the older one, whatever the newer one asked for', async () => {
    const old = { ContractVersion: '99', OnRollback: 'reconsider' };
    const answer = await bench.ask(ahead({ compatible: 'yes' }), swapped(old), { stackStatus });
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { Ahead: '0002_two', Compatible: 'yes' } });
  });

  test.each([
    ['plan-ahead', failure('plan-ahead')],
    ['plan-missing', failure('plan-missing')],
    ['plan-half-done', failure('plan-half-done')],
  ])('is let through when CloudFormation cannot be asked and the runner says %s', async (_code, answer) => {
    const body = `return event.action === 'settle' ? ${settled({ ahead: null, compatible: 'unknown' })} : ${answer};`;
    expect(await bench.ask(body, swapped())).toMatchObject({ Status: 'SUCCESS' });
  });

  test.each([
    ['before the runner is asked', swapped()],
    ['after the runner was asked', { ...swapped(), OldResourceProperties: { ...PROPERTIES, Digest: 'd1' } }],
  ])('is answered in time though CloudFormation throttles whoever asks, %s', async (_case, event) => {
    const began = Date.now();
    const body = ahead({ ahead: null, compatible: 'unknown' });
    const answer = await bench.ask(body, event, { stackStatus: 'throttled', remainingMs: 19_000 });
    expect(answer).toMatchObject({ Status: 'SUCCESS' });
    expect(Date.now() - began).toBeLessThan(19_000);
    expect(bench.described.length).toBeGreaterThan(1);
  });

  test('that had just begun when CloudFormation was first asked is not taken for an older release', async () => {
    const both = ['UPDATE_IN_PROGRESS', 'UPDATE_ROLLBACK_IN_PROGRESS'];
    const answer = await bench.ask(ahead({ compatible: 'no' }), swapped(), { stackStatus: both });
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { Ahead: '0002_two', Compatible: 'no' } });
  });

  test('is let through when the runner cannot answer at all', async () => {
    const answer = await bench.ask('process.exit(1);', swapped(), { stackStatus });
    expect(answer).toMatchObject({ Status: 'SUCCESS', Data: { Ahead: 'unknown', Compatible: 'unknown' } });
    expect(answer?.Reason).toContain('Where it stands could not be read');
  });

  test('names what is half done', async () => {
    const body = ahead({ ahead: [], compatible: 'unknown', halfDone: ['0002_index'] });
    const answer = await bench.ask(body, swapped(), { stackStatus });
    expect(answer?.Reason).toContain('Half done, without a transaction: 0002_index');
    expect(answer?.Reason).not.toContain('It is where this release expects it');
  });

  test.each([
    ['no', { compatible: 'no' }, 'FAILED'],
    ['nobody knows', { compatible: 'unknown' }, 'FAILED'],
    ['yes, but a view has another form', { compatible: 'yes', stale: ['shown'] }, 'FAILED'],
    ['yes, but a run may still commit', { compatible: 'yes', fenced: false }, 'FAILED'],
    ['yes', { compatible: 'yes', stale: [] }, 'SUCCESS'],
  ])(
    "with onRollback 'fail' and an old release that works with the database: %s",
    async (_case, verdict, Status) => {
      const answer = await bench.ask(ahead(verdict), swapped({ OnRollback: 'fail' }), { stackStatus });
      expect(answer).toMatchObject({ Status });
      if (Status === 'SUCCESS') return;
      expect(answer?.Reason).toContain('go down to 0001_one');
      expect(answer?.Reason).toContain('--resources-to-skip Migrations');
    },
  );
});

describe('an older release on purpose', () => {
  const stackStatus = 'UPDATE_IN_PROGRESS';

  test.each([
    ['is let in where what it lacks is compatible', { compatible: 'yes' }, 'SUCCESS'],
    ['is refused where nobody says so', { compatible: 'unknown' }, 'FAILED'],
    ['is refused where it has something to apply', { compatible: 'yes', pending: ['0001_b'] }, 'FAILED'],
  ])('%s', async (_case, verdict, Status) => {
    expect(await bench.ask(ahead(verdict), swapped(), { stackStatus })).toMatchObject({ Status });
  });
});

describe('an undo resource', () => {
  const undo = {
    ResourceType: 'Custom::ForerunUndo',
    LogicalResourceId: 'Undo',
    ResourceProperties: { ...PROPERTIES, Holds: 'Migrations,After' },
  };
  const REVERTED = `return ${result({ action: 'down', steps: [{ migration: '0002_two', outcome: 'applied' }] })};`;
  const deleted = { ...undo, RequestType: 'Delete', PhysicalResourceId: 'forerun-undo-1764000000000' };

  test('remembers in its id when the deploy began, and calls nobody', async () => {
    const answer = await bench.ask(REVERTED, undo);
    expect(answer).toMatchObject({ Status: 'SUCCESS' });
    expect(answer?.PhysicalResourceId).toMatch(/^forerun-undo-\d{13}$/);
    const kept = await bench.ask(REVERTED, { ...undo, ...update, PhysicalResourceId: 'forerun-undo-1' });
    expect(kept?.PhysicalResourceId).toBe('forerun-undo-1');
    expect(bench.invokes).toEqual([]);
  });

  test('remembers the moment of its making where no request tells when it was asked', async () => {
    const before = Date.now();
    const answer = await bench.ask(REVERTED, { ...undo, ResponseURL: bench.answersUrl });
    const moment = Number(answer?.PhysicalResourceId.slice('forerun-undo-'.length));
    expect(moment).toBeGreaterThanOrEqual(before);
    expect(moment).toBeLessThanOrEqual(Date.now());
  });

  test.each(['UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS', 'ROLLBACK_IN_PROGRESS'])(
    'that is deleted in %s has the deploy taken back',
    async (stackStatus) => {
      const answer = await bench.ask(REVERTED, deleted, { stackStatus });
      expect(answer).toMatchObject({ Status: 'SUCCESS' });
      expect(answer?.Reason).toContain('0002_two');
      expect(bench.invokes.map(({ event }) => event)).toMatchObject([
        {
          action: 'revert',
          sinceMs: 1764000000000,
          owners: [`${STACK_ID}/Migrations`, `${STACK_ID}/After`],
        },
      ]);
    },
  );

  test.each([
    { stackStatus: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS', why: 'a later deploy has taken its place' },
    { stackStatus: 'DELETE_IN_PROGRESS', why: 'the stack goes' },
    { stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS', why: 'the new app may still be live' },
    { why: 'nobody can say what the deletion means' },
  ])('that is deleted in $stackStatus reverts nothing, because $why', async ({ why: _why, ...options }) => {
    const answer = await bench.ask(REVERTED, deleted, options);
    expect(answer).toMatchObject({ Status: 'SUCCESS' });
    expect(bench.invokes).toEqual([]);
  });

  test('without a moment in its id reverts nothing', async () => {
    const invented = { ...deleted, PhysicalResourceId: 'Shop-Undo-ABCDEF123456' };
    await bench.ask(REVERTED, invented, { stackStatus: 'ROLLBACK_IN_PROGRESS' });
    expect(bench.invokes).toEqual([]);
  });

  test.each([
    ['refuses', `return ${failure('plan-irreversible')};`],
    ['may not reach the database', `return ${failure('database-refused')};`],
    ['crashes', 'process.exit(1);'],
  ])('never blocks a cleanup: where the runner %s, the database is kept', async (_case, body) => {
    const stackStatus = 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS';
    const answer = await bench.ask(body, deleted, { stackStatus });
    expect(answer).toMatchObject({ Status: 'SUCCESS' });
    expect(answer?.Reason).toContain('Not reverted; the database is kept as it is.');
  });
});

describe('a deletion', () => {
  const deleted = { RequestType: 'Delete', PhysicalResourceId: 'forerun-migrations' };
  const revert = { ...deleted, ResourceProperties: { ...PROPERTIES, OnDelete: 'revert' } };
  const REVERTED = `return ${result({ action: 'down', steps: [{ migration: '0002_two', outcome: 'applied' }] })};`;

  test('calls nobody, not even CloudFormation', async () => {
    expect(await bench.ask(REVERTED, deleted, { stackStatus: 'DELETE_IN_PROGRESS' })).toMatchObject({
      Status: 'SUCCESS',
    });
    expect([...bench.invokes, ...bench.described]).toEqual([]);
  });

  test("of a stack with onDelete 'revert' takes everything back", async () => {
    const answer = await bench.ask(REVERTED, revert, { stackStatus: 'DELETE_IN_PROGRESS' });
    expect(answer).toMatchObject({ Status: 'SUCCESS' });
    expect(bench.invokes).toMatchObject([{ event: { action: 'revert', everything: true } }]);
  });

  test.each([
    { stackStatus: 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS' },
    { stackStatus: 'ROLLBACK_IN_PROGRESS' },
    {},
  ])(
    "of the resource alone ($stackStatus) keeps everything, also with onDelete 'revert'",
    async (options) => {
      expect(await bench.ask(REVERTED, revert, options)).toMatchObject({ Status: 'SUCCESS' });
      expect(bench.invokes).toEqual([]);
    },
  );

  test('never blocks the stack', async () => {
    const answer = await bench.ask('process.exit(1);', revert, { stackStatus: 'DELETE_IN_PROGRESS' });
    expect(answer).toMatchObject({ Status: 'SUCCESS' });
  });
});
