import {
  CheckpointDurableExecutionCommand,
  GetDurableExecutionStateCommand,
  InvokeCommand,
  ListDurableExecutionsByFunctionCommand,
  StopDurableExecutionCommand,
} from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { arnOf, openDurableWorkbench, type DurableWorkbench } from './durable-workbench.ts';
import { ROLE } from './workbench.ts';

let bench: DurableWorkbench;
/** What somebody with the role of the functions may not do. */
let denied: string | undefined;
let asked: Set<string>;

beforeEach(async () => {
  denied = undefined;
  asked = new Set();
  bench = await openDurableWorkbench('passing', {
    authorize({ accessKeyId, action, resource }) {
      asked.add(`${action} ${resource}`);
      return bench.lambda.roleOf(accessKeyId) !== ROLE || action !== denied;
    },
  });
});

afterEach(async () => {
  await bench.close();
});

const echo = `async (event, context) => await context.step(async () => event.word ?? 'nothing')`;

/** Says its process id and works on its second step until it gets a signal. */
const working = `async (event, context) => {
  await context.step('first', async () => 1);
  await context.step('second', async () => await new Promise((done) => {
    const busy = setInterval(() => {}, 60_000);
    process.once('SIGUSR2', () => { clearInterval(busy); done(); });
    console.log('at work ' + process.pid);
  }));
  await context.step('third', async () => console.log('third'));
}`;

test('the same name with the same payload is the same execution', async () => {
  const arn = await bench.publish('f', echo);
  const first = await bench.start(arn, 'run-1', { word: 'a' });
  const again = await bench.start(arn, 'run-1', { word: 'a' });
  await bench.end(arnOf(first));
  const late = await bench.start(arn, 'run-1', { word: 'a' });
  expect([arnOf(again), arnOf(late)]).toEqual([arnOf(first), arnOf(first)]);
  expect(bench.starts).toHaveLength(1);
});

test('the same name with another payload is refused, while it runs and afterwards', async () => {
  const arn = await bench.publish('f', echo);
  const first = arnOf(await bench.start(arn, 'run-1', { word: 'a' }));
  const refused = {
    name: 'DurableExecutionAlreadyStartedException',
    $metadata: { httpStatusCode: 409 },
  };
  await expect(bench.start(arn, 'run-1', { word: 'b' })).rejects.toMatchObject(refused);
  await bench.end(first);
  await expect(bench.start(arn, 'run-1', { word: 'b' })).rejects.toMatchObject(refused);
});

test('a durable function is invoked by version or alias only', async () => {
  await bench.publish('f', echo);
  await expect(bench.start('f', 'run-1')).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
    message: 'You cannot invoke a durable function using an unqualified ARN.',
  });
  const latest = await bench.start('f:$LATEST', 'run-1');
  expect(arnOf(latest)).toContain(':f:$LATEST/durable-execution/run-1/');
});

test('nobody can wait for an execution that may take longer than fifteen minutes', async () => {
  const arn = await bench.publish('f', echo, {
    durable: { executionTimeoutSeconds: 901, retentionDays: 1 },
  });
  await expect(bench.client.send(new InvokeCommand({ FunctionName: arn }))).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
  });
});

test('a name that is no name of an execution is refused', async () => {
  const arn = await bench.publish('f', echo);
  await expect(bench.start(arn, 'not/a/name')).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
  });
});

test('an execution name means nothing to a function that is not durable', async () => {
  await bench.deploy('plain', 'export const handler = async () => 1;');
  await expect(bench.start('plain:$LATEST', 'run-1')).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
  });
});

test('a function is not made durable by an update', async () => {
  await bench.deploy('plain', 'export const handler = async () => 1;');
  await expect(bench.lambda.updateFunction('plain', await bench.durable(echo))).rejects.toMatchObject({
    code: 'InvalidParameterValueException',
  });
});

test('a stopped execution is not invoked again, and what still works can checkpoint nothing', async () => {
  const arn = await bench.publish('f', working);
  const line = bench.line('at work');
  const started = arnOf(await bench.start(arn, 'run-1'));
  const pid = Number((await line).split(' ').at(-1));
  const refused = bench.line('ERROR\tInvoke Error');
  const { StopTimestamp } = await bench.client.send(
    new StopDurableExecutionCommand({
      DurableExecutionArn: started,
      Error: { ErrorType: 'Fenced', ErrorMessage: 'The deploy was rolled back.' },
    }),
  );
  const end = await bench.end(started);
  expect(end).toMatchObject({
    Status: 'STOPPED',
    Error: { ErrorType: 'Fenced', ErrorMessage: 'The deploy was rolled back.' },
    EndTimestamp: StopTimestamp,
  });
  process.kill(pid, 'SIGUSR2');
  expect(await refused).toContain('Invalid Checkpoint Token');
  expect(bench.lines('f')).not.toContain('third');
  expect(bench.starts).toHaveLength(1);
});

test('stopping what has ended changes nothing', async () => {
  const arn = await bench.publish('f', echo);
  const started = arnOf(await bench.start(arn, 'run-1'));
  const end = await bench.end(started);
  await bench.client.send(new StopDurableExecutionCommand({ DurableExecutionArn: started }));
  expect(await bench.get(started)).toMatchObject({ Status: 'SUCCEEDED', EndTimestamp: end.EndTimestamp });
});

test('a token is good for one checkpoint; the same request once more gets the same answer', async () => {
  const arn = await bench.publish('f', `async () => await new Promise(() => {})`);
  const invoked = bench.invocation();
  const started = arnOf(await bench.start(arn, 'run-1'));
  const { CheckpointToken } = JSON.parse((await invoked).event) as { CheckpointToken: string };
  const checkpoint = (ClientToken: string) =>
    bench.client.send(
      new CheckpointDurableExecutionCommand({
        DurableExecutionArn: started,
        CheckpointToken,
        ClientToken,
        Updates: [{ Id: 'step', Type: 'STEP', Action: 'SUCCEED', Payload: '1' }],
      }),
    );
  const first = await checkpoint('client-1');
  expect(first.NewExecutionState?.Operations).toMatchObject([{ Id: 'step', Status: 'SUCCEEDED' }]);
  expect((await checkpoint('client-1')).CheckpointToken).toBe(first.CheckpointToken);
  await expect(checkpoint('client-2')).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
    message: 'Invalid Checkpoint Token',
  });
  const read = (token: string | undefined) =>
    bench.client.send(
      new GetDurableExecutionStateCommand({
        DurableExecutionArn: started,
        CheckpointToken: token,
        MaxItems: 1,
      }),
    );
  const page = await read(first.CheckpointToken);
  expect(page.Operations).toMatchObject([{ Type: 'EXECUTION', ExecutionDetails: { InputPayload: '{}' } }]);
  expect(page.NextMarker).toBe('1');
  await expect(read(CheckpointToken)).rejects.toMatchObject({ message: 'Invalid Checkpoint Token' });
});

test.each([
  ['a step that succeeds twice', [step('SUCCEED'), step('SUCCEED')]],
  ['a wait that is to succeed', [{ Id: 'w', Type: 'WAIT', Action: 'SUCCEED' }]],
  ['a child of nothing', [{ ...step('START'), ParentId: 'nobody' }]],
  ['a callback', [{ Id: 'c', Type: 'CALLBACK', Action: 'START' }]],
  ['a result before the end', [{ Id: 'e', Type: 'EXECUTION', Action: 'SUCCEED' }, step('START')]],
] as const)('%s is refused, and nothing of that checkpoint is kept', async (_, updates) => {
  const arn = await bench.publish('f', `async () => await new Promise(() => {})`);
  const invoked = bench.invocation();
  const started = arnOf(await bench.start(arn, 'run-1'));
  const { CheckpointToken } = JSON.parse((await invoked).event) as { CheckpointToken: string };
  await expect(
    bench.client.send(
      new CheckpointDurableExecutionCommand({
        DurableExecutionArn: started,
        CheckpointToken,
        Updates: [{ Id: 'good', Type: 'STEP', Action: 'START' }, ...updates],
      }),
    ),
  ).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
  const { Operations } = await bench.client.send(
    new GetDurableExecutionStateCommand({ DurableExecutionArn: started, CheckpointToken }),
  );
  expect(Operations).toHaveLength(1);
});

test('executions are listed by version, name and status', async () => {
  const arn = await bench.publish('f', echo);
  for (const name of ['run-1', 'run-2', 'other']) {
    await bench.end(arnOf(await bench.start(arn, name)));
  }
  const list = async (filter: object): Promise<readonly (string | undefined)[]> => {
    const { DurableExecutions = [] } = await bench.client.send(
      new ListDurableExecutionsByFunctionCommand({ FunctionName: 'f', Qualifier: '1', ...filter }),
    );
    return DurableExecutions.map(({ DurableExecutionName }) => DurableExecutionName);
  };
  expect(await list({})).toEqual(['run-1', 'run-2', 'other']);
  expect(await list({ DurableExecutionName: 'run', ReverseOrder: true })).toEqual(['run-2', 'run-1']);
  expect(await list({ Statuses: ['RUNNING', 'FAILED'] })).toEqual([]);
  expect(await list({ Statuses: ['RUNNING', 'SUCCEEDED'], MaxItems: 1 })).toEqual(['run-1']);
  expect(await list({ Qualifier: '$LATEST' })).toEqual([]);
});

test('each call is checked against the ARN that it is about', async () => {
  const arn = await bench.publish('f', echo);
  const started = arnOf(await bench.start(arn, 'run-1'));
  await bench.end(started);
  await bench.client.send(new StopDurableExecutionCommand({ DurableExecutionArn: started }));
  await bench.client.send(new ListDurableExecutionsByFunctionCommand({ FunctionName: arn }));
  expect([...asked].toSorted()).toEqual([
    `lambda:CheckpointDurableExecution ${started}`,
    `lambda:GetDurableExecution ${started}`,
    `lambda:InvokeFunction ${arn}`,
    `lambda:ListDurableExecutionsByFunction ${arn}`,
    `lambda:StopDurableExecution ${started}`,
  ]);
});

test('a role that may not checkpoint has its execution fail', async () => {
  denied = 'lambda:CheckpointDurableExecution';
  const arn = await bench.publish('f', echo);
  const end = await bench.end(arnOf(await bench.start(arn, 'run-1')));
  expect(end.Status).toBe('FAILED');
  expect(end.Error?.ErrorMessage).toContain('not authorized to perform: lambda:CheckpointDurableExecution');
});

test('an execution that nobody knows is not found', async () => {
  const arn = await bench.publish('f', echo);
  await expect(bench.get(`${arn}/durable-execution/run-1/none`)).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
});

test('an execution ends as stopped when its function is deleted', async () => {
  const arn = await bench.publish('f', working);
  const line = bench.line('at work');
  const started = arnOf(await bench.start(arn, 'run-1'));
  await line;
  await bench.lambda.deleteFunction('f');
  expect((await bench.get(started)).Status).toBe('STOPPED');
});

function step(Action: 'START' | 'SUCCEED') {
  return { Id: 'step', Type: 'STEP', Action } as const;
}
