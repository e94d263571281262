import { InvokeCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { openWorkbench, payloadOf, ROLE, type Workbench } from './workbench.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = await openWorkbench();
});

afterEach(async () => {
  await bench.close();
});

test('a handler that throws is a function error with type, message and trace', async () => {
  await bench.deploy('f', 'export const handler = async () => { throw new RangeError("too far"); };');
  const answer = await bench.client.send(new InvokeCommand({ FunctionName: 'f' }));
  const failure = JSON.parse(answer.Payload?.transformToString() ?? '');
  expect(answer).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled' });
  expect(failure).toMatchObject({ errorType: 'RangeError', errorMessage: 'too far' });
  expect(failure.trace[0]).toBe('RangeError: too far');
});

test('a handler that throws keeps its process', async () => {
  await bench.deploy(
    'f',
    'let n = 0; export const handler = async () => { n += 1; throw new Error(`call ${n}`); };',
  );
  await bench.lambda.invoke('f', {});
  expect(payloadOf(await bench.lambda.invoke('f', {}))).toMatchObject({ errorMessage: 'call 2' });
});

test.each([
  ['a syntax error', 'export const handler = (', 'Runtime.UserCodeSyntaxError'],
  ['a missing import', 'import "./nowhere.mjs"; export const handler = 1;', 'Runtime.ImportModuleError'],
  ['a throw at load', 'throw new TypeError("no"); export const handler = 1;', 'TypeError'],
  ['a missing export', 'export const other = 1;', 'Runtime.HandlerNotFound'],
  ['an exit at load', 'process.exit(3); export const handler = 1;', 'Runtime.ExitError'],
])('%s is reported under the name that Lambda gives it', async (_case, source, errorType) => {
  await bench.deploy('f', source);
  const result = await bench.lambda.invoke('f', {});
  expect(result.functionError).toBe('Unhandled');
  expect(payloadOf(result)).toMatchObject({ errorType });
});

test('a handler without a file is an import error', async () => {
  await bench.lambda.createFunction('f', {
    code: { directory: await bench.write({ 'other.mjs': '' }) },
    role: ROLE,
    handler: 'index.handler',
  });
  expect(payloadOf(await bench.lambda.invoke('f', {}))).toMatchObject({
    errorType: 'Runtime.ImportModuleError',
    errorMessage: "Error: Cannot find module 'index'",
  });
});

test('a time-out kills the process and says after how many seconds', async () => {
  await bench.deploy('f', 'export const handler = async () => { console.log(process.pid); for (;;); };', {
    timeoutSeconds: 1,
  });
  const result = await bench.lambda.invoke('f', {});
  expect(payloadOf(result)).toEqual({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${result.requestId} Error: Task timed out after 1.00 seconds`,
  });
  expect(() => process.kill(Number(bench.lambda.logs('f')[0]?.line), 0)).toThrow('ESRCH');
});

test.each([
  ['an exit', 'process.exit(7)', 'Runtime exited with error: exit status 7'],
  ['a clean exit', 'process.exit(0)', 'Runtime exited without providing a reason'],
  [
    'a signal',
    'process.kill(process.pid, "SIGKILL"); await new Promise(() => {})',
    'Runtime exited with error: signal: killed',
  ],
])('%s inside the handler is an exit of the runtime', async (_case, body, text) => {
  await bench.deploy('f', `export const handler = async () => { ${body}; };`);
  const result = await bench.lambda.invoke('f', {});
  expect(payloadOf(result)).toEqual({
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${result.requestId} Error: ${text}`,
  });
});

test('a function that takes more memory than it has is ended', async () => {
  await bench.deploy(
    'f',
    'export const handler = async () => { const all = []; for (;;) all.push(new Array(100_000).fill(Math.random())); };',
    { memoryMb: 64, timeoutSeconds: 30 },
  );
  expect(payloadOf(await bench.lambda.invoke('f', {}))).toMatchObject({
    errorType: 'Runtime.ExitError',
    errorMessage: expect.stringContaining('signal: aborted'),
  });
});

test('an error that nobody catches ends the process and is the answer', async () => {
  await bench.deploy(
    'f',
    'export const handler = () => new Promise(() => { setImmediate(() => { throw new Error("loose"); }); });',
  );
  expect(payloadOf(await bench.lambda.invoke('f', {}))).toMatchObject({
    errorType: 'Error',
    errorMessage: 'loose',
  });
});

test('a rejection that nobody handles ends the process and is the answer', async () => {
  await bench.deploy(
    'f',
    'export const handler = () => new Promise(() => { void Promise.reject(new Error("loose")); });',
  );
  expect(payloadOf(await bench.lambda.invoke('f', {}))).toMatchObject({
    errorType: 'Runtime.UnhandledPromiseRejection',
    errorMessage: 'Error: loose',
  });
});

test('an answer over 6 MB is a function error', async () => {
  await bench.deploy('f', 'export const handler = async () => "x".repeat(6_291_456);');
  expect(payloadOf(await bench.lambda.invoke('f', {}))).toMatchObject({
    errorType: 'Function.ResponseSizeTooLarge',
  });
});
