import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { arnOf, openDurableWorkbench, type DurableWorkbench } from './durable-workbench.ts';

let bench: DurableWorkbench;

beforeEach(async () => {
  bench = await openDurableWorkbench('passing');
});

afterEach(async () => {
  await bench.close();
});

test('an execution runs its steps and ends with the result of the handler', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       const one = await context.step('one', async () => event.start + 1);
       return await context.step('two', async () => one * 2);
     }`,
  );
  const answer = await bench.start(arn, 'run-1', { start: 4 });
  expect(answer.StatusCode).toBe(202);
  expect(arnOf(answer)).toMatch(
    /^arn:aws:lambda:eu-west-1:111122223333:function:f:1\/durable-execution\/run-1\/[\w-]+$/,
  );
  const end = await bench.end(arnOf(answer));
  expect(end).toMatchObject({
    Status: 'SUCCEEDED',
    Result: '10',
    InputPayload: '{"start":4}',
    DurableExecutionName: 'run-1',
    FunctionArn: arn,
    Version: '1',
  });
  expect(end.EndTimestamp).toBeInstanceOf(Date);
});

test('a step that is done is not done again when the process leaves after it', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       await context.step('one', async () => console.log('step one'));
       if ((await context.step('crashed', async () => process.pid)) === process.pid) process.exit(7);
       await context.step('two', async () => console.log('step two'));
       return 'whole';
     }`,
  );
  const end = await bench.end(arnOf(await bench.start(arn, 'run-1')));
  expect(end).toMatchObject({ Status: 'SUCCEEDED', Result: '"whole"' });
  expect(bench.lines('f').filter((line) => line.startsWith('step'))).toEqual(['step one', 'step two']);
  expect(bench.starts.map(({ attempt }) => attempt)).toEqual([1, 2]);
});

test('an invocation that runs into its time-out is made again', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       if ((await context.step('hung', async () => process.pid)) === process.pid) await new Promise(() => {});
       return 'whole';
     }`,
    { timeoutSeconds: 1 },
  );
  expect((await bench.end(arnOf(await bench.start(arn, 'run-1')))).Result).toBe('"whole"');
});

test('a step that fails is tried again after its delay, as often as it asks for', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => await context.step('flaky', async () => {
       console.log('try');
       throw new Error('not yet');
     }, { retryStrategy: (error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: 30 } }) })`,
  );
  const end = await bench.end(arnOf(await bench.start(arn, 'run-1')));
  expect(end).toMatchObject({ Status: 'FAILED', Error: { ErrorMessage: 'not yet' } });
  expect(bench.lines('f').filter((line) => line === 'try')).toHaveLength(3);
});

test('parallel branches each keep their own place', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       const all = await context.parallel('ranges', [1, 2, 3].map((n) => async (branch) => {
         await branch.step('first', async () => console.log('first ' + n));
         await branch.wait({ seconds: n * 10 });
         return await branch.step('second', async () => { console.log('second ' + n); return n; });
       }));
       return all.getResults();
     }`,
  );
  const end = await bench.end(arnOf(await bench.start(arn, 'run-1')));
  expect(end).toMatchObject({ Status: 'SUCCEEDED', Result: '[1,2,3]' });
  const said = bench.lines('f').filter((line) => /^(first|second) \d$/.test(line));
  expect(said.toSorted()).toEqual(['first 1', 'first 2', 'first 3', 'second 1', 'second 2', 'second 3']);
});

test('a state of more than one page is read whole: no step of it is done again', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       const all = await context.map(Array.from({ length: 600 }, (_, i) => i), async (branch, i) => {
         await branch.step(async () => console.log('step'));
         await branch.wait({ seconds: 5 });
         return i;
       });
       return all.getResults().length;
     }`,
    { timeoutSeconds: 60, memoryMb: 512 },
  );
  expect(await bench.end(arnOf(await bench.start(arn, 'run-1')))).toMatchObject({ Result: '600' });
  expect(bench.lines('f').filter((line) => line === 'step')).toHaveLength(600);
});

test('a caller can wait for the end, and sees a failure as that of a function', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       if (event.fail) throw new RangeError('as asked');
       return await context.step(async () => 'done');
     }`,
  );
  const invoke = (payload: unknown) =>
    bench.client.send(new InvokeCommand({ FunctionName: arn, Payload: JSON.stringify(payload) }));
  const good = await invoke({});
  expect([good.StatusCode, good.ExecutedVersion, good.Payload?.transformToString()]).toEqual([
    200,
    '1',
    '"done"',
  ]);
  expect(good.DurableExecutionArn).toContain(':1/durable-execution/');
  const bad = await invoke({ fail: true });
  expect(bad.FunctionError).toBe('Unhandled');
  expect(JSON.parse(bad.Payload?.transformToString() ?? '')).toMatchObject({ errorMessage: 'as asked' });
});

test('an execution has at most 3,000 operations', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       for (let i = 0; i < event.steps; i += 250) {
         await Promise.all(Array.from({ length: 250 }, () => context.step(async () => null)));
       }
       return 'all';
     }`,
    { timeoutSeconds: 60, memoryMb: 512 },
  );
  expect(await bench.end(arnOf(await bench.start(arn, 'run-1', { steps: 2750 })))).toMatchObject({
    Result: '"all"',
  });
  const end = await bench.end(arnOf(await bench.start(arn, 'run-2', { steps: 3000 })));
  expect(end.Status).toBe('FAILED');
  expect(end.Error?.ErrorMessage).toContain('at most 3000 operations');
});

test('a result that no answer can carry is checkpointed', async () => {
  const arn = await bench.publish('f', `async () => 'x'.repeat(6_291_456)`, { memoryMb: 512 });
  const end = await bench.end(arnOf(await bench.start(arn, 'run-1')));
  expect(end.Status).toBe('SUCCEEDED');
  expect(end.Result).toHaveLength(6_291_458);
});
