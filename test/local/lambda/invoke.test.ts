import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { startLambda, type LocalLambda } from '../../../local/lambda/start-lambda.ts';

const role = 'arn:aws:iam::111122223333:role/app';

let directory: string;
let lambda: LocalLambda;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'forerun-test-'));
  lambda = await startLambda();
});

afterEach(async () => {
  await lambda.close();
  await rm(directory, { recursive: true, force: true });
});

const client = (): LambdaClient =>
  new LambdaClient({
    endpoint: lambda.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'person', secretAccessKey: 'x' },
    maxAttempts: 1,
  });

async function deploy(name: string, source: string, more: object = {}): Promise<string> {
  await writeFile(join(directory, 'index.mjs'), source);
  const { arn } = await lambda.createFunction(name, {
    code: { directory },
    role,
    handler: 'index.handler',
    ...more,
  });
  return arn;
}

test('the unmodified SDK client invokes an ESM handler and gets its result', async () => {
  const arn = await deploy('echo', 'export const handler = async (event, context) => ({ event, context });');
  const answer = await client().send(
    new InvokeCommand({ FunctionName: arn, Payload: JSON.stringify({ a: 1 }) }),
  );
  const body = JSON.parse(answer.Payload?.transformToString() ?? '');
  expect(answer.StatusCode).toBe(200);
  expect(answer.ExecutedVersion).toBe('$LATEST');
  expect(body.event).toEqual({ a: 1 });
  expect(body.context).toMatchObject({
    functionName: 'echo',
    functionVersion: '$LATEST',
    invokedFunctionArn: arn,
    memoryLimitInMB: '128',
    logGroupName: '/aws/lambda/echo',
  });
});
