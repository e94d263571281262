import { InvokeCommand, GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
let refusedActions: string[];
let fault: 'lose-request' | 'lose-answer' | 'throttle' | undefined;

beforeEach(async () => {
  refusedActions = [];
  fault = undefined;
  bench = await openWorkbench({
    authorize: ({ action, resource, accessKeyId }) =>
      accessKeyId === 'AKIAPERSON' && !refusedActions.includes(`${action} ${resource}`),
    onInvoke: () => fault,
  });
});

afterEach(async () => {
  await bench.close();
});

const echo = 'export const handler = async (event, context) => ({ event, context, env: process.env });';

test('the unmodified SDK client invokes an ESM handler, which gets the context of the runtime', async () => {
  const arn = await bench.deploy('echo', echo);
  const answer = await bench.client.send(new InvokeCommand({ FunctionName: arn, Payload: '{"a":1}' }));
  const body = JSON.parse(answer.Payload?.transformToString() ?? '');
  expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
  expect(body.event).toEqual({ a: 1 });
  expect(body.context).toMatchObject({
    awsRequestId: answer.$metadata.requestId,
    functionName: 'echo',
    functionVersion: '$LATEST',
    invokedFunctionArn: arn,
    memoryLimitInMB: '128',
    logGroupName: '/aws/lambda/echo',
  });
});

test('a function sees its own environment and nothing of the host', async () => {
  await bench.deploy('echo', echo, { environment: { OWN: 'yes' } });
  process.env['FORERUN_TEST_OF_THE_HOST'] = 'no';
  const { payload } = await bench.lambda.invoke('echo', {});
  delete process.env['FORERUN_TEST_OF_THE_HOST'];
  const { env } = JSON.parse(payload);
  expect(env).toMatchObject({
    OWN: 'yes',
    AWS_REGION: 'eu-west-1',
    AWS_LAMBDA_FUNCTION_NAME: 'echo',
    AWS_ENDPOINT_URL_LAMBDA: bench.lambda.url,
  });
  expect(env).not.toHaveProperty('FORERUN_TEST_OF_THE_HOST');
  expect(env).not.toHaveProperty('HOME');
});

test('the access key of a function leads back to its role', async () => {
  await bench.deploy('echo', echo);
  const { payload } = await bench.lambda.invoke('echo', {});
  expect(bench.lambda.roleOf(JSON.parse(payload).env.AWS_ACCESS_KEY_ID)).toBe(
    'arn:aws:iam::111122223333:role/app',
  );
});

test.each(['echo', '111122223333:function:echo', 'arn:aws:lambda:eu-west-1:111122223333:function:echo'])(
  'a function answers to the name %s',
  async (FunctionName) => {
    await bench.deploy('echo', echo);
    const answer = await bench.client.send(new InvokeCommand({ FunctionName }));
    expect(answer.StatusCode).toBe(200);
  },
);

test('a version is reached by a qualifier and by a full ARN', async () => {
  await bench.deploy('echo', echo);
  const { arn } = await bench.lambda.publishVersion('echo');
  const byArn = await bench.client.send(new InvokeCommand({ FunctionName: arn }));
  const byQualifier = await bench.client.send(new InvokeCommand({ FunctionName: 'echo', Qualifier: '1' }));
  expect([byArn.ExecutedVersion, byQualifier.ExecutedVersion]).toEqual(['1', '1']);
});

test('a name with another qualifier beside it is refused', async () => {
  await bench.deploy('echo', echo);
  await expect(
    bench.client.send(new InvokeCommand({ FunctionName: 'echo:1', Qualifier: '2' })),
  ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
});

test('an unknown function is not found', async () => {
  await expect(bench.client.send(new InvokeCommand({ FunctionName: 'nobody' }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'Function not found: arn:aws:lambda:eu-west-1:111122223333:function:nobody',
  });
});

test('a caller without the right is refused before anything runs', async () => {
  const arn = await bench.deploy('echo', 'console.log("ran"); export const handler = async () => 1;');
  refusedActions.push(`lambda:InvokeFunction ${arn}`);
  await expect(bench.client.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
    name: 'AccessDeniedException',
  });
  expect(bench.lambda.logs('echo')).toEqual([]);
});

test('a request without a signature is refused', async () => {
  await bench.deploy('echo', echo);
  const answer = await fetch(`${bench.lambda.url}/2015-03-31/functions/echo/invocations`, { method: 'POST' });
  expect(answer.status).toBe(403);
});

test('a request over 6 MB is refused, one of exactly 6 MB is not', async () => {
  await bench.deploy('length', 'export const handler = async (event) => event.length;');
  const exact = JSON.stringify('x'.repeat(6_291_456 - 2));
  const answer = await bench.client.send(new InvokeCommand({ FunctionName: 'length', Payload: exact }));
  expect(answer.Payload?.transformToString()).toBe('6291454');
  await expect(
    bench.client.send(new InvokeCommand({ FunctionName: 'length', Payload: `${exact} ` })),
  ).rejects.toMatchObject({ name: 'RequestTooLargeException' });
});

test('a lost answer cuts the connection after the function ran', async () => {
  await bench.deploy('echo', 'export const handler = async () => console.log("ran");');
  fault = 'lose-answer';
  await expect(bench.client.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
    code: 'ECONNRESET',
  });
  expect(bench.lambda.logs('echo').map(({ line }) => line)).toEqual(['ran']);
});

test('a lost request cuts the connection and runs nothing', async () => {
  await bench.deploy('echo', 'export const handler = async () => console.log("ran");');
  fault = 'lose-request';
  await expect(bench.client.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
    code: 'ECONNRESET',
  });
  expect(bench.lambda.logs('echo')).toEqual([]);
});

test('a throttled request is told so', async () => {
  await bench.deploy('echo', echo);
  fault = 'throttle';
  await expect(bench.client.send(new InvokeCommand({ FunctionName: 'echo' }))).rejects.toMatchObject({
    name: 'TooManyRequestsException',
  });
});

test('the log tail comes with the answer when it is asked for', async () => {
  await bench.deploy(
    'echo',
    'export const handler = async () => { console.log("one"); process.stdout.write("two"); };',
  );
  const { LogResult = '' } = await bench.client.send(
    new InvokeCommand({ FunctionName: 'echo', LogType: 'Tail' }),
  );
  expect(Buffer.from(LogResult, 'base64').toString()).toBe('one\ntwo');
});

test('a waiter of the SDK finds a function active', async () => {
  await bench.deploy('echo', echo);
  const configuration = await bench.client.send(
    new GetFunctionConfigurationCommand({ FunctionName: 'echo' }),
  );
  expect(configuration).toMatchObject({
    State: 'Active',
    LastUpdateStatus: 'Successful',
    Version: '$LATEST',
  });
});

test('a handler uses the SDK that the runtime brings along, and reaches the endpoint it was given', async () => {
  await bench.deploy('callee', 'export const handler = async () => "hello";');
  await bench.deploy(
    'caller',
    `import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
     export const handler = async () => {
       const answer = await new LambdaClient().send(new InvokeCommand({ FunctionName: 'callee' })).catch((error) => error);
       return answer.name;
     };`,
    { timeoutSeconds: 20 },
  );
  // Its key is not the one that may invoke: reaching the endpoint shows as the refusal.
  expect((await bench.lambda.invoke('caller', {})).payload).toBe('"AccessDeniedException"');
});
