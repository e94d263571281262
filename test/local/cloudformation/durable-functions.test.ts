import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { openWorkbench, timeline, type Resources, type Workbench } from './workbench.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = await openWorkbench();
});

afterEach(async () => {
  await bench.close();
});

const worker = (properties: object = {}): Resources => ({
  Worker: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      Handler: 'index.handler',
      Role: 'arn:aws:iam::111122223333:role/f',
      Code: { ZipFile: 'exports.handler = async () => ({ Status: "SUCCEEDED", Result: "1" });' },
      ...properties,
    },
  },
});
const durable = (ExecutionTimeout: number): object => ({
  DurableConfig: { ExecutionTimeout, RetentionPeriodInDays: 7 },
});

test('a function with DurableConfig is a durable function', async () => {
  await bench.deploy(worker({ FunctionName: 'worker', ...durable(3600) }));
  const client = new LambdaClient({
    endpoint: bench.lambda.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'AKIAPERSON', secretAccessKey: 'x' },
  });
  expect(
    (await client.send(new GetFunctionConfigurationCommand({ FunctionName: 'worker' }))).DurableConfig,
  ).toEqual({ ExecutionTimeout: 3600, RetentionPeriodInDays: 7 });
  client.destroy();
  await expect(bench.lambda.invoke('worker', {})).rejects.toMatchObject({
    message: 'You cannot invoke a durable function using an unqualified ARN.',
  });
  expect((await bench.lambda.invoke('worker:$LATEST', {})).payload).toBe('1');
});

const nameNow = (): string | undefined =>
  bench.cloudFormation.stack('Shop')?.resources.find(({ logicalId }) => logicalId === 'Worker')?.physicalId;

test.each([
  ['on', {}, durable(60)],
  ['off', durable(60), {}],
])('turning DurableConfig %s makes a new function, and the old one goes', async (_, before, after) => {
  await bench.deploy(worker(before));
  const old = nameNow();
  const { status, events } = await bench.deploy(worker(after));
  expect([status, timeline(events).at(-1)]).toEqual(['UPDATE_COMPLETE', 'UPDATE_COMPLETE']);
  expect(timeline(events)).toContain('Worker DELETE_COMPLETE');
  expect(nameNow()).not.toBe(old);
  await expect(bench.lambda.invoke(old ?? '', {})).rejects.toMatchObject({
    code: 'ResourceNotFoundException',
  });
});

test('another time-out of executions changes the function that is there', async () => {
  await bench.deploy(worker(durable(60)));
  const old = nameNow();
  expect((await bench.deploy(worker(durable(120)))).status).toBe('UPDATE_COMPLETE');
  expect(nameNow()).toBe(old);
});

test('a function of a fixed name cannot be made durable', async () => {
  await bench.deploy(worker({ FunctionName: 'worker' }));
  const { status, reason } = await bench.deploy(worker({ FunctionName: 'worker', ...durable(60) }));
  expect(status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(reason).toContain('a custom-named resource requires replacing. Rename worker');
});

test('an execution may take 366 days and not longer', async () => {
  const { reason } = await bench.deploy(worker(durable(366 * 86_400 + 1)));
  expect(reason).toContain('DurableConfig.ExecutionTimeout must be 1 to 31622400 seconds');
});

test.each([
  ['every version', 'f:*', true],
  ['the executions of its version', 'f:1/durable-execution/*', true],
  ['another version', 'f:2/durable-execution/*', false],
  ['the function alone', 'f', false],
])('a policy for %s decides about an execution', async (_, resource, expected) => {
  const role = 'arn:aws:iam::111122223333:role/app';
  const functionArn = 'arn:aws:lambda:eu-west-1:111122223333:function:';
  await bench.deploy({
    Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'app', AssumeRolePolicyDocument: {} } },
    Policy: {
      Type: 'AWS::IAM::Policy',
      Properties: {
        PolicyName: 'p',
        Roles: [{ Ref: 'Role' }],
        PolicyDocument: {
          Statement: [
            { Effect: 'Allow', Action: 'lambda:StopDurableExecution', Resource: functionArn + resource },
          ],
        },
      },
    },
  });
  expect(
    bench.cloudFormation.allows(
      role,
      'lambda:StopDurableExecution',
      `${functionArn}f:1/durable-execution/run-1/id`,
    ),
  ).toBe(expected);
});

test("AWS's own policy for durable functions lets a role checkpoint, and not stop", async () => {
  const role = 'arn:aws:iam::111122223333:role/app';
  const name = 'AWSLambdaBasicDurableExecutionRolePolicy';
  await bench.deploy({
    Role: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'app',
        AssumeRolePolicyDocument: {},
        ManagedPolicyArns: [`arn:aws:iam::aws:policy/service-role/${name}`],
      },
    },
  });
  const allowed = [
    'CheckpointDurableExecution',
    'GetDurableExecutionState',
    'StopDurableExecution',
    'InvokeFunction',
  ].filter((action) => bench.cloudFormation.allows(role, `lambda:${action}`, 'any'));
  expect(allowed).toEqual(['CheckpointDurableExecution', 'GetDurableExecutionState']);
});
