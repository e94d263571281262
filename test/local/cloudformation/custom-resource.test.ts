import { EventEmitter, once } from 'node:events';

import { afterEach, beforeEach, expect, test } from 'vitest';

import type { Clock } from '../../../local/clock.ts';
import type { LogLine } from '../../../local/lambda/start-lambda.ts';
import {
  ANSWERING,
  custom,
  opaque,
  openWorkbench,
  timeline,
  type Resources,
  type Workbench,
} from './workbench.ts';

let bench: Workbench;
let lines: EventEmitter<{ line: [LogLine] }>;
/** Actions that wait for a moment, with the seconds they wait. */
let waiting: Map<() => void, number>;

beforeEach(async () => {
  lines = new EventEmitter();
  waiting = new Map();
  const clock: Clock = {
    now: () => Date.parse('2026-11-22T10:20:30.400Z'),
    after(delayMs, action) {
      waiting.set(action, delayMs / 1000);
      return () => waiting.delete(action);
    },
  };
  bench = await openWorkbench({ clock, lambdaOptions: { onLog: (line) => void lines.emit('line', line) } });
});

afterEach(async () => {
  await bench.close();
});

const things = (properties: object, more: Resources = {}): Resources => ({
  Answering: ANSWERING,
  Thing: custom(properties),
  ...more,
});

test('the event has exactly the fields that CloudFormation sends, scalars as text', async () => {
  await bench.deploy(things({ Value: 'a', Number: 1.5, Flag: true, List: [1, { Deep: false }] }));
  const { id } = bench.cloudFormation.stack('Shop') ?? {};
  expect(bench.asked()).toEqual([
    {
      RequestType: 'Create',
      ServiceToken: 'arn:aws:lambda:eu-west-1:111122223333:function:answering',
      StackId: id,
      RequestId: expect.stringMatching(/^[\da-f-]{36}$/),
      LogicalResourceId: 'Thing',
      ResourceType: 'Custom::Thing',
      ResourceProperties: {
        ServiceToken: 'arn:aws:lambda:eu-west-1:111122223333:function:answering',
        Value: 'a',
        Number: '1.5',
        Flag: 'true',
        List: ['1', { Deep: 'false' }],
      },
    },
  ]);
  expect(id).toMatch(/^arn:aws:cloudformation:eu-west-1:111122223333:stack\/Shop\/[\da-f-]{36}$/);
});

test('the address for the answer looks like a pre-signed one, with its moment', async () => {
  const telling = {
    ...ANSWERING,
    Properties: {
      ...ANSWERING.Properties,
      Code: {
        ZipFile: `exports.handler = async (event) => {
          console.log([...new URL(event.ResponseURL).searchParams.keys()].join(), new URL(event.ResponseURL).searchParams.get('X-Amz-Date'));
          const { StackId, RequestId, LogicalResourceId } = event;
          await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'x', StackId, RequestId, LogicalResourceId }) });
        };`,
      },
    },
  };
  await bench.deploy({ Answering: telling, Thing: custom() });
  expect(bench.lambda.logs('answering').map(({ line }) => line)).toEqual([
    'X-Amz-Algorithm,X-Amz-Date,X-Amz-SignedHeaders,X-Amz-Expires,X-Amz-Signature 20261122T102030Z',
  ]);
});

test('a FAILED create is deleted by the id it answered with', async () => {
  const result = await bench.deploy(things({ Fail: 'Create' }));
  expect(result).toMatchObject({ status: 'ROLLBACK_COMPLETE' });
  expect(result.reason).toMatch(
    /^Thing: Received response status \[FAILED\] from custom resource\. Message returned: as told \(RequestId: [\da-f-]{36}\)$/,
  );
  expect(bench.asked()).toMatchObject([
    { RequestType: 'Create' },
    { RequestType: 'Delete', PhysicalResourceId: 'thing-1' },
  ]);
});

test('a FAILED update still gets the swapped update on the way back', async () => {
  await bench.deploy(things({ Value: 'old' }));
  const result = await bench.deploy(things({ Value: 'new', Fail: 'Update' }));
  expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(bench.asked().at(-1)).toMatchObject({
    RequestType: 'Update',
    ResourceProperties: { Value: 'old' },
    OldResourceProperties: { Value: 'new', Fail: 'Update' },
  });
});

test.each([
  ['an answer over 4096 bytes', { Reason: 'x'.repeat(4096) }, 'Response object is too long.'],
  ['an answer without a physical id', { PhysicalResourceId: '' }, 'Invalid PhysicalResourceId'],
  ['a physical id over 1 KB', { PhysicalResourceId: 'x'.repeat(1025) }, 'Invalid PhysicalResourceId'],
  [
    'an answer to another request',
    { RequestId: 'other' },
    'Invalid response: RequestId does not match the request.',
  ],
  [
    'an answer from another resource',
    { LogicalResourceId: 'other' },
    'Invalid response: LogicalResourceId does not match the request.',
  ],
  [
    'an answer that is neither yes nor no',
    { Status: 'MAYBE' },
    'Invalid response status: it must be SUCCESS or FAILED.',
  ],
])('%s fails the resource, and the delete has an invented id', async (_case, answer, reason) => {
  // Only the create is spoilt: the rollback's delete has other properties to answer by.
  const spoilt = custom({ Answer: JSON.stringify(answer), AnswerOn: 'Create' });
  const result = await bench.deploy({ Answering: ANSWERING, Thing: spoilt });
  expect(result).toMatchObject({ status: 'ROLLBACK_COMPLETE', reason: `Thing: ${reason}` });
  expect(bench.asked().at(-1)).toMatchObject({
    RequestType: 'Delete',
    PhysicalResourceId: expect.stringMatching(/^Shop-Thing-[\dA-F]{12}$/),
  });
});

test('an answer of exactly 4096 bytes is taken', async () => {
  const result = await bench.deploy(things({ FillTo: 4096 }));
  expect(result.status).toBe('CREATE_COMPLETE');
});

test('an answer of 4097 bytes is not', async () => {
  const result = await bench.deploy(things({ FillTo: 4097 }));
  expect(result.reason).toBe('Thing: Response object is too long.');
});

test('a handler that crashes is asked again with the same event, twice', async () => {
  const result = bench.deploy(things({ Crash: 'Create', ServiceTimeout: 120 }));
  while (bench.asked().length < 3) {
    await once(lines, 'line');
  }
  expect(new Set(bench.asked().map((each) => each['RequestId'])).size).toBe(1);
  for (const [action, seconds] of waiting) {
    expect(seconds).toBe(120);
    action();
  }
  expect((await result).reason).toMatch(
    /^Thing: CloudFormation did not receive a response from your Custom Resource\./,
  );
});

test('a handler that crashes once succeeds on the second attempt', async () => {
  const result = await bench.deploy(things({ CrashOnce: 'yes' }));
  expect(result.status).toBe('CREATE_COMPLETE');
  expect(bench.asked()).toHaveLength(2);
});

test('without a timeout of its own a resource waits one hour for its answer', async () => {
  const result = bench.deploy(things({ Silent: 'Create' }));
  await once(lines, 'line');
  expect([...waiting.values()]).toEqual([3600]);
  for (const action of waiting.keys()) {
    action();
  }
  expect((await result).status).toBe('ROLLBACK_COMPLETE');
});

test('a late answer is taken by the server and changes nothing', async () => {
  const second = new Promise<string>((resolve) => {
    lines.on('line', ({ line }) => {
      if (line.startsWith('second')) resolve(line);
    });
  });
  const result = await bench.deploy(things({ AnswerTwice: 'yes' }));
  expect(await second).toBe('second answer: 200');
  expect(result.status).toBe('CREATE_COMPLETE');
  expect(bench.cloudFormation.stack('Shop')?.status).toBe('CREATE_COMPLETE');
});

test('an answer must have a length, come by PUT, and go to the address that was given', async () => {
  const probing = {
    ...ANSWERING,
    Properties: {
      ...ANSWERING.Properties,
      Code: {
        ZipFile: `exports.handler = async (event) => {
          const { StackId, RequestId, LogicalResourceId } = event;
          const put = (url, more) => fetch(url, { method: 'PUT', body: JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'x', StackId, RequestId, LogicalResourceId }), ...more });
          const stream = new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode('{}')); c.close(); } });
          console.log((await put(event.ResponseURL, { body: stream, duplex: 'half' })).status);
          console.log((await put(event.ResponseURL, { method: 'POST' })).status);
          console.log((await put(event.ResponseURL + 'x')).status);
          console.log((await put(event.ResponseURL)).status);
        };`,
      },
    },
  };
  const result = await bench.deploy({ Answering: probing, Thing: custom() });
  expect(result.status).toBe('CREATE_COMPLETE');
  expect(
    bench.lambda
      .logs('answering')
      .slice(0, 3)
      .map(({ line }) => line),
  ).toEqual(['411', '403', '403']);
});

test('a changed physical id deletes the old one in the cleanup', async () => {
  await bench.deploy(things({ Value: 'a', Answer: '{"PhysicalResourceId":"one"}' }));
  const result = await bench.deploy(things({ Value: 'b', Answer: '{"PhysicalResourceId":"two"}' }));
  expect(timeline(result.events).slice(-4)).toEqual([
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    'Thing DELETE_IN_PROGRESS',
    'Thing DELETE_COMPLETE',
    'UPDATE_COMPLETE',
  ]);
  expect(bench.asked().at(-1)).toMatchObject({
    RequestType: 'Delete',
    PhysicalResourceId: 'one',
    ResourceProperties: { Value: 'a' },
  });
});

test('a physical id that changed in vain is deleted after the way back', async () => {
  await bench.deploy(
    things({ Answer: '{"PhysicalResourceId":"one"}' }, { App: opaque({ V: 1 }, { DependsOn: 'Thing' }) }),
  );
  await bench.deploy(
    things({ Answer: '{"PhysicalResourceId":"two"}' }, { App: opaque({ V: 2 }, { DependsOn: 'Thing' }) }),
    { fail: { App: 'broken' } },
  );
  expect(bench.asked().slice(-2)).toMatchObject([
    {
      RequestType: 'Update',
      PhysicalResourceId: 'two',
      ResourceProperties: { Answer: '{"PhysicalResourceId":"one"}' },
    },
    { RequestType: 'Delete', PhysicalResourceId: 'two' },
  ]);
});

test('a changed service token is refused', async () => {
  const twin = { ...ANSWERING, Properties: { ...ANSWERING.Properties, FunctionName: 'twin' } };
  await bench.deploy(things({ Value: 'a' }, { Twin: twin }));
  const result = await bench.deploy({
    Answering: ANSWERING,
    Twin: twin,
    Thing: custom({ Value: 'a', ServiceToken: { 'Fn::GetAtt': ['Twin', 'Arn'] } }),
  });
  expect(result.events.find(({ status }) => status === 'UPDATE_FAILED')?.reason).toBe(
    'Modifying service token is not allowed.',
  );
});

test('an attribute that was not answered fails whoever asks for it', async () => {
  const result = await bench.deploy(
    things({}, { App: opaque({ V: { 'Fn::GetAtt': ['Thing', 'Nothing'] } }) }),
  );
  expect(result.reason).toBe(
    "App: CustomResource attribute error: Vendor response doesn't contain Nothing attribute in object thing-1",
  );
});

test('a function that does not exist fails the resource at once', async () => {
  const arn = 'arn:aws:lambda:eu-west-1:111122223333:function:nobody';
  const result = await bench.deploy({ Thing: { Type: 'Custom::Thing', Properties: { ServiceToken: arn } } });
  expect(result.reason).toBe(`Thing: Function not found: ${arn} (Service: Lambda, Status Code: 404)`);
});

test('an interrupted update is taken back while its handler still works', async () => {
  await bench.deploy(things({ Value: 'old' }));
  const result = bench.deploy(things({ Value: 'new', Silent: 'Update' }));
  await once(lines, 'line');
  bench.cloudFormation.interrupt('Shop');
  expect(await result).toMatchObject({
    status: 'UPDATE_ROLLBACK_COMPLETE',
    reason: 'Thing: Resource update cancelled',
  });
  expect(bench.asked().at(-1)).toMatchObject({
    ResourceProperties: { Value: 'old' },
    OldResourceProperties: { Value: 'new' },
  });
});

test('an interrupted create is deleted by an invented id', async () => {
  const result = bench.deploy(things({ Silent: 'Create' }));
  await once(lines, 'line');
  bench.cloudFormation.interrupt('Shop');
  expect(await result).toMatchObject({
    status: 'ROLLBACK_COMPLETE',
    reason: 'Thing: Resource creation cancelled',
  });
  expect(bench.asked().at(-1)?.PhysicalResourceId).toMatch(/^Shop-Thing-[\dA-F]{12}$/);
});

test('a deploy that is under way ends when CloudFormation is closed', async () => {
  const result = bench.deploy(things({ Silent: 'Create' }));
  await once(lines, 'line');
  await bench.cloudFormation.close();
  expect((await result).status).toBe('ROLLBACK_FAILED');
});
