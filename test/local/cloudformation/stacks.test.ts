import { afterEach, beforeEach, expect, test } from 'vitest';

import { opaque, openWorkbench, timeline, type Workbench } from './workbench.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = await openWorkbench();
});

afterEach(async () => {
  await bench.close();
});

const database = (value: string): object => ({
  Resources: { Queue: opaque({ QueueName: value }) },
  Outputs: { Name: { Value: { Ref: 'Queue' }, Export: { Name: 'Database:Name' } } },
});
const app = { Resources: { Queue: opaque({ From: { 'Fn::ImportValue': 'Database:Name' } }) } };

test('a deploy brings up the stacks it depends on first, and values travel by export', async () => {
  const directory = await bench.assembly({ Database: database('one'), App: app });
  const result = await bench.cloudFormation.deploy(directory, 'App');
  expect(result).toMatchObject({ stackName: 'App', status: 'CREATE_COMPLETE' });
  expect(bench.cloudFormation.stack('Database')?.outputs).toEqual({ Name: 'one' });
  expect(bench.cloudFormation.stack('App')?.resources[0]?.properties).toEqual({ From: 'one' });
});

test('a deploy that is exclusive leaves the others alone', async () => {
  const directory = await bench.assembly({ Database: database('one'), App: app });
  const result = await bench.cloudFormation.deploy(directory, 'App', { exclusively: true });
  expect(result.reason).toBe('Queue: No export named Database:Name found.');
});

test('a stack whose dependency fails is not begun', async () => {
  const broken = { Resources: { Queue: opaque({ V: { 'Fn::ImportValue': 'Nobody' } }) } };
  const result = await bench.cloudFormation.deploy(
    await bench.assembly({ Database: broken, App: app }),
    'App',
  );
  expect(result).toMatchObject({ stackName: 'Database', status: 'ROLLBACK_COMPLETE' });
  expect(bench.cloudFormation.stack('App')).toBeUndefined();
});

test.each([
  [
    'removed',
    { Resources: { Queue: opaque({ QueueName: 'one' }) } },
    'Cannot delete export Database:Name as it is in use by App.',
  ],
  [
    'changed',
    { ...database('one'), Outputs: { Name: { Value: 'two', Export: { Name: 'Database:Name' } } } },
    'Cannot update export Database:Name as it is in use by App.',
  ],
])('an export in use cannot be %s', async (_case, changed, reason) => {
  await bench.cloudFormation.deploy(await bench.assembly({ Database: database('one'), App: app }), 'App');
  const result = await bench.cloudFormation.deploy(await bench.assembly({ Database: changed }), 'Database');
  expect(result).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', reason });
  expect(bench.cloudFormation.stack('Database')?.outputs).toEqual({ Name: 'one' });
});

test('an export is free again when its user is gone', async () => {
  await bench.cloudFormation.deploy(await bench.assembly({ Database: database('one'), App: app }), 'App');
  await expect(bench.cloudFormation.destroy('Database')).rejects.toThrow(
    'Delete canceled. Cannot delete export Database:Name as it is in use by App.',
  );
  await bench.cloudFormation.destroy('App');
  expect((await bench.cloudFormation.destroy('Database')).status).toBe('DELETE_COMPLETE');
});

const conditional = (value: string): object => ({
  Conditions: { Wanted: { 'Fn::Equals': [value, 'yes'] } },
  Resources: { Always: opaque(), Sometimes: opaque({}, { Condition: 'Wanted' }) },
  Outputs: { Id: { Value: { Ref: 'Sometimes' }, Condition: 'Wanted' } },
});

test('a resource whose condition is false does not exist, and appears when it turns true', async () => {
  const first = await bench.cloudFormation.deploy(await bench.assembly({ Shop: conditional('no') }), 'Shop');
  const second = await bench.cloudFormation.deploy(
    await bench.assembly({ Shop: conditional('yes') }),
    'Shop',
  );
  expect(timeline(first.events)).not.toContain('Sometimes CREATE_COMPLETE');
  expect(timeline(second.events)).toContain('Sometimes CREATE_COMPLETE');
  expect(Object.keys(second.outputs)).toEqual(['Id']);
});

test('a stack that the assembly does not have is refused', async () => {
  const directory = await bench.assembly({ Shop: app });
  await expect(bench.cloudFormation.deploy(directory, 'Nobody')).rejects.toMatchObject({
    code: 'deploy-impossible',
  });
});
