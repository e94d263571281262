import { EventEmitter, once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

import { afterEach, beforeEach, expect, test } from 'vitest';

import type { LogLine } from '../../../local/lambda/start-lambda.ts';
import { openWorkbench, payloadOf, type Workbench } from './workbench.ts';

let bench: Workbench;
let lines: EventEmitter<{ line: [LogLine] }>;

beforeEach(async () => {
  lines = new EventEmitter();
  bench = await openWorkbench({ onLog: (line) => void lines.emit('line', line) });
});

afterEach(async () => {
  await bench.close();
});

const counting = 'let n = 0; export const handler = async () => { n += 1; return [process.pid, n]; };';
const waiting =
  'export const handler = () => { console.log(process.pid); return new Promise((done) => setTimeout(done, 60_000)); };';

test('invocations one after the other share a warm process', async () => {
  await bench.deploy('f', counting);
  const [firstPid, first] = payloadOf(await bench.lambda.invoke('f', {})) as number[];
  const [secondPid, second] = payloadOf(await bench.lambda.invoke('f', {})) as number[];
  expect([secondPid, first, second]).toEqual([firstPid, 1, 2]);
});

test('invocations at the same time have a process each', async () => {
  await bench.deploy('f', counting);
  const both = await Promise.all([bench.lambda.invoke('f', {}), bench.lambda.invoke('f', {})]);
  const [one, other] = both.map((each) => payloadOf(each) as number[]);
  expect(one?.[0]).not.toBe(other?.[0]);
});

test('an update ends the warm processes of the old code', async () => {
  await bench.deploy('f', counting);
  const [pid] = payloadOf(await bench.lambda.invoke('f', {})) as number[];
  await bench.lambda.updateFunction('f', await bench.settings(`// changed\n${counting}`));
  expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
});

test('no process survives the end, not even a busy one or what it started', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await bench.deploy(
    'f',
    `import { spawn } from 'node:child_process';
     export const handler = () => {
       console.log(process.pid);
       spawn(process.execPath, ['-e', 'require("net").connect(${port})'], { stdio: 'inherit' });
       return new Promise(() => {});
     };`,
    { timeoutSeconds: 60 },
  );
  const result = bench.lambda.invoke('f', {});
  const [[{ line }], [grandchild]] = (await Promise.all([
    once(lines, 'line'),
    once(server, 'connection'),
  ])) as [[LogLine], [Socket]];
  grandchild.resume();
  const hungUp = once(grandchild, 'close');
  await bench.lambda.close();
  await hungUp;
  expect((await result).functionError).toBe('Unhandled');
  expect(() => process.kill(Number(line), 0)).toThrow('ESRCH');
  server.close();
});

test('the remaining time counts down from the time-out', async () => {
  await bench.deploy(
    'f',
    'export const handler = async (event, context) => context.getRemainingTimeInMillis();',
    {
      timeoutSeconds: 5,
    },
  );
  const left = Number(payloadOf(await bench.lambda.invoke('f', {})));
  expect(left).toBeGreaterThan(3000);
  expect(left).toBeLessThanOrEqual(5000);
});

test('a function that is deleted while it works is let to its end', async () => {
  await bench.deploy(
    'f',
    'export const handler = async () => { console.log("in"); await new Promise((done) => setTimeout(done, 50)); return "end"; };',
  );
  const result = bench.lambda.invoke('f', {});
  await once(lines, 'line');
  await bench.lambda.deleteFunction('f');
  expect(payloadOf(await result)).toBe('end');
});

test('lines of both streams are there when the invocation has ended', async () => {
  await bench.deploy(
    'f',
    'export const handler = async () => { for (let i = 0; i < 2000; i += 1) console.error(i); };',
  );
  await bench.lambda.invoke('f', {});
  expect(bench.lambda.logs('f').map(({ line }) => line)).toEqual(
    Array.from({ length: 2000 }, (_, i) => String(i)),
  );
});

test('closing ends an event that is being worked on', async () => {
  await bench.deploy('f', waiting, { timeoutSeconds: 60 });
  await bench.lambda.invokeAsync('f', {});
  const [{ line }] = (await once(lines, 'line')) as [LogLine];
  await bench.lambda.close();
  expect(() => process.kill(Number(line), 0)).toThrow('ESRCH');
});
