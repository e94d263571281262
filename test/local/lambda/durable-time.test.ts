import { afterEach, beforeEach, expect, test } from 'vitest';

import {
  arnOf,
  EXECUTION_SECONDS,
  openDurableWorkbench,
  type DurableWorkbench,
} from './durable-workbench.ts';

let bench: DurableWorkbench;

beforeEach(async () => {
  bench = await openDurableWorkbench('by-hand');
});

afterEach(async () => {
  await bench.close();
});

const saying = (word: string): string => `async (event, context) => {
  const before = await context.step(async () => ${JSON.stringify(word)});
  await context.wait({ seconds: 60 });
  return before + ', then ' + ${JSON.stringify(word)};
}`;

test('a wait suspends the execution, and a fresh invocation goes on after it and not before', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       const before = await context.step(async () => 'before');
       await context.wait({ minutes: 5 });
       return before + ' and after';
     }`,
  );
  const wait = bench.timer(300_000);
  const started = arnOf(await bench.start(arn, 'run-1'));
  await wait;
  bench.advance(299_999);
  expect((await bench.get(started)).Status).toBe('RUNNING');
  bench.advance(1);
  expect(await bench.end(started)).toMatchObject({ Status: 'SUCCEEDED', Result: '"before and after"' });
  expect(bench.starts).toHaveLength(2);
});

test('a broken invocation is made again after one second, two, four', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => {
       const attempt = await context.step(async () => 'kept');
       process.exit(1);
     }`,
  );
  const timers = [1000, 2000, 4000].map((delayMs) => bench.timer(delayMs));
  const started = arnOf(await bench.start(arn, 'run-1'));
  for (const [index, timer] of timers.entries()) {
    await timer;
    expect(bench.starts).toHaveLength(index + 1);
    bench.advance(1000 * 2 ** index);
  }
  expect((await bench.get(started)).Status).toBe('RUNNING');
});

test('an execution that takes longer than it may is ended as TIMED_OUT', async () => {
  const arn = await bench.publish('f', `async (event, context) => await context.wait({ hours: 1 })`);
  const wait = bench.timer(3_600_000);
  const started = arnOf(await bench.start(arn, 'run-1'));
  await wait;
  bench.advance(EXECUTION_SECONDS * 1000);
  const end = await bench.end(started);
  expect(end.Status).toBe('TIMED_OUT');
  bench.advance(3_600_000);
  expect(bench.starts).toHaveLength(1);
});

test('an execution stays on its version while the function is updated', async () => {
  await bench.publish('f', saying('old'));
  const alias = bench.lambda.createAlias('f', 'live', '1').arn;
  const wait = bench.timer(60_000);
  const first = arnOf(await bench.start(alias, 'run-1'));
  await wait;
  await bench.lambda.updateFunction('f', await bench.durable(saying('new')));
  await bench.lambda.publishVersion('f');
  bench.lambda.updateAlias('f', 'live', '2');
  const otherWait = bench.timer(60_000);
  const second = arnOf(await bench.start(alias, 'run-2'));
  await otherWait;
  bench.advance(60_000);
  expect((await bench.end(first)).Result).toBe('"old, then old"');
  expect(await bench.end(second)).toMatchObject({ Result: '"new, then new"', Version: '2' });
});

test('an execution is forgotten when its time of retention is over, and its name is free again', async () => {
  const arn = await bench.publish('f', `async (event, context) => event.word`);
  const first = arnOf(await bench.start(arn, 'run-1', { word: 'a' }));
  await bench.end(first);
  bench.advance(86_400_001);
  await expect(bench.get(first)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  const second = arnOf(await bench.start(arn, 'run-1', { word: 'b' }));
  expect((await bench.end(second)).Result).toBe('"b"');
});

test('closing leaves neither a process nor a timer behind', async () => {
  const arn = await bench.publish(
    'f',
    `async (event, context) => await context.parallel([
       async (branch) => await branch.wait({ minutes: 5 }),
       async (branch) => await branch.step(async () => { console.log('at work ' + process.pid); await new Promise(() => {}); }),
     ])`,
  );
  const line = bench.line('at work');
  await bench.start(arn, 'run-1');
  const pid = Number((await line).split(' ').at(-1));
  await bench.close();
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  bench.advance(EXECUTION_SECONDS * 1000);
  expect(bench.starts).toHaveLength(1);
});
