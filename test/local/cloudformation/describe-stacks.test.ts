import aws4 from 'aws4';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { ANSWERING, custom, opaque, openWorkbench, type Workbench } from './workbench.ts';

let bench: Workbench;
let allowed: boolean;

beforeEach(async () => {
  allowed = true;
  bench = await openWorkbench({
    authorize: ({ action, resource, accessKeyId }) =>
      allowed &&
      accessKeyId === 'AKIAPERSON' &&
      action === 'cloudformation:DescribeStacks' &&
      resource.startsWith('arn:aws:cloudformation:eu-west-1:111122223333:stack/Shop/'),
  });
});

afterEach(async () => {
  await bench.close();
});

async function describe(form: Record<string, string>): Promise<{ status: number; text: string }> {
  const { host } = new URL(bench.cloudFormation.url);
  const body = new URLSearchParams({ Version: '2010-05-15', ...form }).toString();
  const { headers = {} } = aws4.sign(
    {
      host,
      path: '/',
      method: 'POST',
      body,
      service: 'cloudformation',
      region: 'eu-west-1',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    },
    { accessKeyId: 'AKIAPERSON', secretAccessKey: 'x' },
  );
  const answer = await fetch(bench.cloudFormation.url, {
    method: 'POST',
    body,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
  });
  return { status: answer.status, text: await answer.text() };
}

test('a stack is found by its id and tells its status', async () => {
  await bench.deploy({ Queue: opaque() });
  const id = bench.cloudFormation.stack('Shop')?.id ?? '';
  const { status, text } = await describe({ Action: 'DescribeStacks', StackName: id });
  expect(status).toBe(200);
  expect(text).toContain('<StackStatus>CREATE_COMPLETE</StackStatus>');
  expect(text).toContain(`<StackId>${id}</StackId>`);
});

test('a deleted stack is still found by its id', async () => {
  await bench.deploy({ Queue: opaque() });
  const id = bench.cloudFormation.stack('Shop')?.id ?? '';
  await bench.cloudFormation.destroy('Shop');
  expect((await describe({ Action: 'DescribeStacks', StackName: id })).text).toContain('DELETE_COMPLETE');
});

test('a stack that is not there is a validation error', async () => {
  allowed = true;
  await bench.close();
  bench = await openWorkbench();
  const { status, text } = await describe({ Action: 'DescribeStacks', StackName: 'Nobody' });
  expect(status).toBe(400);
  expect(text).toContain(
    '<Code>ValidationError</Code><Message>Stack with id Nobody does not exist</Message>',
  );
});

test('a caller without the right is refused', async () => {
  await bench.deploy({ Queue: opaque() });
  allowed = false;
  const { status, text } = await describe({ Action: 'DescribeStacks', StackName: 'Shop' });
  expect(status).toBe(403);
  expect(text).toContain('<Code>AccessDenied</Code>');
});

test('a request without a signature is refused', async () => {
  const answer = await fetch(bench.cloudFormation.url, { method: 'POST', body: 'Action=DescribeStacks' });
  expect(answer.status).toBe(403);
});

test('a custom resource that asks for its own stack sees that it is being rolled back', async () => {
  await bench.close();
  bench = await openWorkbench();
  const asking = {
    ...ANSWERING,
    Properties: {
      ...ANSWERING.Properties,
      Code: {
        ZipFile: `exports.handler = async (event) => {
          const authorization = 'AWS4-HMAC-SHA256 Credential=' + process.env.AWS_ACCESS_KEY_ID + '/20261122/eu-west-1/cloudformation/aws4_request, SignedHeaders=host, Signature=0';
          const answer = await fetch(process.env.AWS_ENDPOINT_URL_CLOUDFORMATION, { method: 'POST', headers: { authorization }, body: new URLSearchParams({ Action: 'DescribeStacks', StackName: event.StackId }) });
          console.log(/<StackStatus>(.*)<.StackStatus>/.exec(await answer.text())[1]);
          const { StackId, RequestId, LogicalResourceId } = event;
          await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'x', StackId, RequestId, LogicalResourceId }) });
        };`,
      },
    },
  };
  const release = (value: string): Record<string, object> => ({
    Answering: asking,
    Thing: custom({ value }),
    App: opaque({ value }, { DependsOn: 'Thing' }),
  });
  await bench.deploy(release('old'));
  await bench.deploy(release('new'), { fail: { App: 'broken' } });
  expect(bench.lambda.logs('answering').map(({ line }) => line)).toEqual([
    'CREATE_IN_PROGRESS',
    'UPDATE_IN_PROGRESS',
    'UPDATE_ROLLBACK_IN_PROGRESS',
  ]);
});
