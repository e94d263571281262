import { EventEmitter, once } from 'node:events';

import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from 'vitest';

import type { Clock } from '../../../local/clock.ts';
import type { DroppedEvent } from '../../../local/lambda/event-queue.ts';
import type { InvokeStart, LogLine } from '../../../local/lambda/start-lambda.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
let starts: InvokeStart[];
let bus: EventEmitter<{ dropped: [DroppedEvent]; line: [LogLine]; waiting: [number] }>;
let hand: { nowMs: number; actions: (() => void)[] };

beforeEach(async () => {
  starts = [];
  bus = new EventEmitter();
  hand = { nowMs: 1_000_000, actions: [] };
  const clock: Clock = {
    now: () => hand.nowMs,
    after(delayMs, action) {
      hand.actions.push(action);
      bus.emit('waiting', delayMs);
      return () => undefined;
    },
  };
  bench = await openWorkbench({
    clock,
    retryWaitsMs: [60_000, 120_000],
    onInvoke: (start) => void starts.push(start),
    onLog: (line) => void bus.emit('line', line),
    onDropped: (event) => void bus.emit('dropped', event),
  });
});

afterEach(async () => {
  await bench.close();
});

const failing = 'export const handler = async () => { throw new Error("no"); };';

async function passTime(): Promise<number> {
  const [delayMs] = (await once(bus, 'waiting')) as [number];
  hand.nowMs += delayMs;
  return delayMs;
}

function wake(): void {
  for (const action of hand.actions.splice(0)) {
    action();
  }
}

test('an event is taken at once and worked on later', async () => {
  await bench.deploy('f', 'export const handler = async (event) => console.log(event.word);');
  const line = once(bus, 'line');
  const answer = await bench.client.send(
    new InvokeCommand({ FunctionName: 'f', InvocationType: 'Event', Payload: '{"word":"hello"}' }),
  );
  expect(answer.StatusCode).toBe(202);
  expect(((await line) as [LogLine])[0].line).toBe('hello');
});

test('a failing event is tried three times with one request id, after one and two minutes', async () => {
  await bench.deploy('f', failing);
  await bench.lambda.invokeAsync('f', {});
  const waits = [await passTime()];
  wake();
  waits.push(await passTime());
  const dropped = once(bus, 'dropped');
  wake();
  const [event] = (await dropped) as [DroppedEvent];
  expect(waits).toEqual([60_000, 120_000]);
  expect(event).toMatchObject({ condition: 'RetriesExhausted', attempts: 3 });
  expect(starts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect(new Set(starts.map(({ requestId }) => requestId)).size).toBe(1);
});

test('an event that grew too old is not tried again', async () => {
  await bench.deploy('f', failing);
  bench.lambda.setEventInvoke('f', '$LATEST', { maximumEventAgeSeconds: 60 });
  await bench.lambda.invokeAsync('f', {});
  await passTime();
  hand.nowMs += 1;
  const dropped = once(bus, 'dropped');
  wake();
  const [event] = (await dropped) as [DroppedEvent];
  expect(event).toMatchObject({ condition: 'EventAgeExceeded', attempts: 1 });
});

test('no retries means one attempt', async () => {
  await bench.deploy('f', failing);
  bench.lambda.setEventInvoke('f', '$LATEST', { maximumRetryAttempts: 0 });
  const dropped = once(bus, 'dropped');
  await bench.lambda.invokeAsync('f', {});
  expect(((await dropped) as [DroppedEvent])[0].attempts).toBe(1);
});

test('an event that is given up goes to the failure destination', async () => {
  await bench.deploy('f', failing);
  const onFailure = await bench.deploy(
    'last-resort',
    'export const handler = async (event) => console.log(JSON.stringify(event));',
  );
  bench.lambda.setEventInvoke('f', '$LATEST', { maximumRetryAttempts: 0, onFailure });
  const told = new Promise<string>((resolve) => {
    bus.on('line', ({ functionName, line }) => {
      if (functionName === 'last-resort') resolve(line);
    });
  });
  await bench.lambda.invokeAsync('f', { word: 'hello' });
  expect(JSON.parse(await told)).toMatchObject({
    requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 1 },
    requestPayload: { word: 'hello' },
    responseContext: { functionError: 'Unhandled' },
    responsePayload: { errorMessage: 'no' },
  });
});

test('an event for a function that does not exist is refused', async () => {
  await expect(bench.lambda.invokeAsync('nobody', {})).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
});
