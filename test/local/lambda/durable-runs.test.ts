import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { arnOf, openDurableWorkbench, type DurableWorkbench } from './durable-workbench.ts';

let bench: DurableWorkbench;

beforeEach(async () => {
  bench = await openDurableWorkbench();
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
  const backoff = bench.timer(1000);
  const started = await bench.start(arn, 'run-1');
  await backoff;
  expect((await bench.end(arnOf(started))).Result).toBe('"whole"');
});

test('a wait suspends the execution and a fresh invocation goes on after it', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       const before = await context.step(async () => 'before');
       await context.wait({ hours: 1 });
       return before + ' and after';
     }`,
    { durable: { executionTimeoutSeconds: 86_400, retentionDays: 1 } },
  );
  const waits = bench.timer(3_600_000);
  await bench.start(arn, 'other-timers-come-first');
  await waits;
  const wait = bench.timer(3_600_000);
  const started = arnOf(await bench.start(arn, 'run-1'));
  await wait;
  bench.advance(3_599_000);
  expect((await bench.get(started)).Status).toBe('RUNNING');
  bench.advance(1000);
  expect(await bench.end(started)).toMatchObject({ Status: 'SUCCEEDED', Result: '"before and after"' });
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

test('a map over many items needs more than one page of state', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       const all = await context.map(Array.from({ length: 600 }, (_, i) => i), async (branch, i) => {
         await branch.step(async () => i);
         await branch.wait({ seconds: 5 });
         return i;
       });
       return all.getResults().length;
     }`,
    { timeoutSeconds: 60, memoryMb: 512 },
  );
  expect(await bench.end(arnOf(await bench.start(arn, 'run-1')))).toMatchObject({ Result: '600' });
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

test('an execution stays on its version while the function is updated', async () => {
  const code = (word: string) => `async (event, context) => {
    const before = await context.step(async () => ${JSON.stringify(word)});
    await context.wait({ seconds: 60 });
    return before + ', then ' + ${JSON.stringify(word)};
  }`;
  await bench.publish('f', code('old'));
  const alias = bench.lambda.createAlias('f', 'live', '1').arn;
  const wait = bench.timer(60_000);
  const first = arnOf(await bench.start(alias, 'run-1'));
  await wait;
  await bench.lambda.updateFunction('f', await bench.durable(code('new')));
  await bench.lambda.publishVersion('f');
  bench.lambda.updateAlias('f', 'live', '2');
  const second = arnOf(await bench.start(alias, 'run-2'));
  expect((await bench.end(first)).Result).toBe('"old, then old"');
  expect(await bench.end(second)).toMatchObject({ Result: '"new, then new"', Version: '2' });
});
