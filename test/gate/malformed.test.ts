import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openGateBench, PROPERTIES, STACK_ID, type Answered, type GateBench } from './gate-bench.ts';

let bench: GateBench;

beforeAll(async () => {
  bench = await openGateBench();
});
afterAll(async () => {
  await bench.close();
});
beforeEach(() => {
  for (const list of [bench.answers, bench.invokes]) list.length = 0;
});

/** What JSON can hold where a text belongs; the last one cannot even be turned into a text. */
const ODD = [undefined, null, '', 7, true, ['a'], { a: 1 }, { toString: 1 }] as const;
const RUNNER = 'arn:aws:lambda:eu-west-1:111122223333:function:nobody:1';
const FULL = {
  ...PROPERTIES,
  RunnerArn: RUNNER,
  OnDelete: 'keep',
  Timeout: '60',
  Environment: 'production',
  Params: '{}',
};

const requestWith = (more: object): object => ({
  RequestType: 'Create',
  RequestId: 'request-1',
  StackId: STACK_ID,
  LogicalResourceId: 'Migrations',
  ResourceType: 'Custom::ForerunMigrations',
  ResponseURL: bench.answersUrl,
  ResourceProperties: FULL,
  ...more,
});

/** So little time that a runner which is not there is not waited for. */
async function answerTo(event: object): Promise<Answered | undefined> {
  bench.answers.length = 0;
  await bench.deliver(event, { remainingMs: 17_000, stackStatus: [] });
  return bench.answers[0];
}

/** Its status, once all that CloudFormation demands of an answer was looked at. */
function statusOf(answer: Answered | undefined): string | undefined {
  expect(answer?.Reason).not.toBe('');
  expect(answer?.bytes).toBeLessThanOrEqual(4_096);
  expect(typeof answer?.PhysicalResourceId).toBe('string');
  for (const value of Object.values(answer?.Data ?? {})) expect(typeof value).toBe('string');
  return answer?.Status;
}

const shown = (value: unknown): string => JSON.stringify(value) ?? 'nothing';

describe.each(['Create', 'Update', 'Delete'])('a %s is answered', (RequestType) => {
  const status = RequestType === 'Delete' ? 'SUCCESS' : 'FAILED';
  const PhysicalResourceId = RequestType === 'Create' ? undefined : 'forerun-migrations';

  test.each(Object.keys({ ...FULL, WorkerArn: '' }))('whatever its property %s holds', async (name) => {
    for (const value of ODD) {
      const ResourceProperties = { ...FULL, [name]: value };
      for (const ResourceType of ['Custom::ForerunMigrations', 'Custom::ForerunUndo', value]) {
        const event = requestWith({ RequestType, PhysicalResourceId, ResourceType, ResourceProperties });
        const isUndo = ResourceType === 'Custom::ForerunUndo';
        expect(statusOf(await answerTo(event))).toBe(isUndo ? 'SUCCESS' : status);
      }
    }
  });

  test.each(ODD.map((value) => [shown(value), value] as const))(
    'where all its properties, old or new, are %s',
    async (_shown, value) => {
      const given = { RequestType, PhysicalResourceId };
      expect(statusOf(await answerTo(requestWith({ ...given, ResourceProperties: value })))).toBe(status);
      expect(statusOf(await answerTo(requestWith({ ...given, OldResourceProperties: value })))).toBe(status);
    },
  );

  test.each(ODD.map((value) => [shown(value), value] as const))(
    'where its PhysicalResourceId is %s',
    async (_shown, value) => {
      expect(statusOf(await answerTo(requestWith({ RequestType, PhysicalResourceId: value })))).toBe(status);
    },
  );
});

test.each([...ODD, 'Import', 'delete'].map((value) => [shown(value), value] as const))(
  'a request of the type %s is answered, and nothing is done',
  async (_shown, value) => {
    for (const ResourceType of ['Custom::ForerunMigrations', 'Custom::ForerunUndo']) {
      expect(statusOf(await answerTo(requestWith({ RequestType: value, ResourceType })))).toBe('FAILED');
    }
    expect(bench.invokes).toEqual([]);
  },
);

test('the reason names the property that is not right, and not what it holds', async () => {
  const ResourceProperties = { ...FULL, Database: { word: 'hunter2' } };
  const answer = await answerTo(requestWith({ ResourceProperties }));
  expect(answer?.Reason).toContain('Database is not as the construct writes it');
  expect(answer?.Reason).not.toContain('hunter2');
});

test('an Update whose properties cannot be read is let through in a rollback', async () => {
  const event = { RequestType: 'Update', ResourceProperties: { ...PROPERTIES, Head: 7 } };
  const answer = await bench.ask('return {};', event, { stackStatus: 'UPDATE_ROLLBACK_IN_PROGRESS' });
  expect(statusOf(answer)).toBe('SUCCESS');
  expect(answer?.Data).toHaveProperty('Ahead', 'unknown');
  expect(bench.invokes).toEqual([]);
});
