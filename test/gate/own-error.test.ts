import { afterAll, beforeAll, expect, test } from 'vitest';
import { handler } from '../../lambda/gate.ts';
import { placeOf } from '../../lambda/gate/place-of.ts';
import { openGateBench, PROPERTIES, STACK_ID, type Answered, type GateBench } from './gate-bench.ts';

let bench: GateBench;

beforeAll(async () => {
  bench = await openGateBench();
});
afterAll(async () => {
  await bench.close();
});

/** A gate that breaks where it asks for its time a second time, which it does on its way to the runner. */
async function brokenGate(event: object, stackStatus: string | readonly string[]): Promise<Answered> {
  await bench.deliver({}, { stackStatus });
  bench.described.length = 0;
  bench.answers.length = 0;
  const endMs = Date.now() + 20_000;
  const asked = {
    RequestId: 'request-1',
    StackId: STACK_ID,
    LogicalResourceId: 'Migrations',
    ResourceType: 'Custom::ForerunMigrations',
    ResponseURL: bench.answersUrl,
    ResourceProperties: { ...PROPERTIES, OnDelete: 'revert' },
    ...event,
  };
  let looked = 0;
  const context = {
    awsRequestId: 'first',
    invokedFunctionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:gate',
    getRemainingTimeInMillis(): number {
      looked += 1;
      if (looked === 2) throw new TypeError('unexpected token hunter2');
      return endMs - Date.now();
    },
  };
  await handler(asked, context);
  const [answer] = bench.answers;
  if (answer === undefined) throw new TypeError('no answer');
  return answer;
}

const undo = { ...PROPERTIES, Holds: 'Migrations' };
const ROLLBACK = 'UPDATE_ROLLBACK_IN_PROGRESS';
const CLEANUP = 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS';

test.each([
  ['a Create fails', { RequestType: 'Create' }, 'CREATE_IN_PROGRESS', 'FAILED'],
  ['an Update fails', { RequestType: 'Update' }, 'UPDATE_IN_PROGRESS', 'FAILED'],
  ['the Update of a rollback goes on', { RequestType: 'Update' }, ROLLBACK, 'SUCCESS'],
  ['an Update that may be a rollback fails, because it may be none', { RequestType: 'Update' }, [], 'FAILED'],
  ['a Delete goes on', { RequestType: 'Delete' }, 'DELETE_IN_PROGRESS', 'SUCCESS'],
  [
    'the deletion of an undo resource goes on',
    {
      RequestType: 'Delete',
      ResourceType: 'Custom::ForerunUndo',
      PhysicalResourceId: 'forerun-undo-1764000000000',
      ResourceProperties: undo,
    },
    CLEANUP,
    'SUCCESS',
  ],
])('when the gate itself breaks, %s, and the error is not quoted', async (_case, event, status, Status) => {
  const answer = await brokenGate(event, status);
  expect(answer).toMatchObject({ Status });
  expect(answer.Reason).toMatch(/^The gate met an error of its own \(TypeError at .+\)\. \S/);
  expect(answer.Reason).not.toContain('hunter2');
});

test.each(['{"password":"hun"ter2"}', '[]', 'null', '7', ''])(
  'parameters that are no JSON object (%s) are refused without a word of them; a rollback and a deletion go on',
  async (Params) => {
    bench.invokes.length = 0;
    const ResourceProperties = { ...PROPERTIES, OnDelete: 'revert', Params };
    const ask = (RequestType: string, stackStatus: string) =>
      bench.ask('return {};', { RequestType, ResourceProperties }, { stackStatus });
    const refused = await ask('Create', 'CREATE_IN_PROGRESS');
    expect(refused).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('Params is not') });
    expect(refused?.Reason).not.toContain('ter2');
    expect(await ask('Update', ROLLBACK)).toMatchObject({ Status: 'SUCCESS' });
    expect(await ask('Delete', 'DELETE_IN_PROGRESS')).toMatchObject({ Status: 'SUCCESS' });
    expect(bench.invokes).toEqual([]);
  },
);

test.each(['a "quote"', 'back\\slash\\', 'line\nbreak', 'x","admin":"y', '{"forerun:text":1}', ''])(
  'a text that only the deploy knew reaches the runner as it is: %j',
  async (text) => {
    const Params = '{"in":[{"forerun:text":1}],"who":{"forerun:text":0},"n":1}';
    const ResourceProperties = { ...PROPERTIES, Params, ParamTexts: ['ann', text] };
    bench.invokes.length = 0;
    await bench.ask('return {};', { ResourceProperties });
    expect(bench.invokes[0]?.event['params']).toEqual({ in: [text], who: 'ann', n: 1 });
  },
);

test.each([
  ['too few', '{"a":{"forerun:text":0},"b":{"forerun:text":1}}', ['one']],
  ['too many', '{"a":{"forerun:text":0}}', ['one', 'two']],
  ['a hole', '{"a":{"forerun:text":1}}', ['one']],
  ['no texts', '{"a":{"forerun:text":0}}', [{ a: 1 }]],
  ['no list', '{"a":{"forerun:text":0}}', 'one'],
])('texts that are not those of the parameters are refused: %s', async (_case, Params, ParamTexts) => {
  const answer = await bench.ask('return {};', { ResourceProperties: { ...PROPERTIES, Params, ParamTexts } });
  expect(answer).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('Params is not') });
});

test('of an error its kind and its place are told, however its message looks', () => {
  expect(placeOf(new RangeError('one\n    at secret (two)\nthree'))).toMatch(/^RangeError at /);
  expect(placeOf(new RangeError('one\n    at secret (two)\nthree'))).not.toContain('secret');
  expect(placeOf('secret')).toBe('something that is no error');
  const changed = Object.assign(new RangeError('one\n    at secret (two)'), { message: 'another' });
  expect(placeOf(changed)).toMatch(/^RangeError/);
  expect(placeOf(changed)).not.toContain('secret');
});
