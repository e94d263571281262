import { afterEach, beforeEach, expect, test } from 'vitest';

import {
  ANSWERING,
  custom,
  opaque,
  openWorkbench,
  timeline,
  type Resources,
  type Workbench,
} from './workbench.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = await openWorkbench();
});

afterEach(async () => {
  await bench.close();
});

const release = (value: string): Resources => ({
  Answering: ANSWERING,
  Thing: custom({ Value: value, Number: 42 }),
  App: opaque({ Value: value }, { DependsOn: 'Thing' }),
});

test('a create makes every resource behind those it depends on', async () => {
  const result = await bench.deploy({
    App: opaque({}, { DependsOn: 'Thing' }),
    Thing: custom({ Value: 'a' }),
    Answering: ANSWERING,
  });
  expect(result).toMatchObject({ kind: 'create', status: 'CREATE_COMPLETE' });
  expect(timeline(result.events)).toEqual([
    'CREATE_IN_PROGRESS',
    'Answering CREATE_IN_PROGRESS',
    'Answering CREATE_COMPLETE',
    'Thing CREATE_IN_PROGRESS',
    'Thing CREATE_COMPLETE',
    'App CREATE_IN_PROGRESS',
    'App CREATE_COMPLETE',
    'CREATE_COMPLETE',
  ]);
});

test('an update touches only resources whose resolved properties differ', async () => {
  await bench.deploy(release('old'));
  const result = await bench.deploy({
    ...release('old'),
    App: opaque(
      { Value: { 'Fn::Join': ['', ['o', 'ld']] }, More: { 'Fn::GetAtt': ['Thing', 'Echo'] } },
      { DependsOn: 'Thing' },
    ),
  });
  expect(timeline(result.events)).toEqual([
    'UPDATE_IN_PROGRESS',
    'App UPDATE_IN_PROGRESS',
    'App UPDATE_COMPLETE',
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    'UPDATE_COMPLETE',
  ]);
});

test('an equal template is no change and makes no events', async () => {
  await bench.deploy(release('same'));
  const result = await bench.deploy(release('same'));
  expect(result).toMatchObject({ kind: 'no-changes', status: 'CREATE_COMPLETE', events: [] });
});

const copying = (value: string): Resources => ({
  Answering: ANSWERING,
  Thing: custom({ Value: value }),
  App: opaque({ Copy: { 'Fn::GetAtt': ['Thing', 'Echo'] }, Id: { Ref: 'Thing' } }),
});

test('data of a custom resource reaches those that refer to it, and a change of it updates them', async () => {
  await bench.deploy(copying('one'));
  const result = await bench.deploy(copying('two'));
  const app = bench.cloudFormation.stack('Shop')?.resources.find(({ logicalId }) => logicalId === 'App');
  expect(app?.properties).toEqual({ Copy: 'two', Id: 'thing-1' });
  expect(timeline(result.events)).toContain('App UPDATE_COMPLETE');
});

test('a failed update gives the custom resource its old properties back and tells it the failed ones', async () => {
  await bench.deploy(release('old'));
  const result = await bench.deploy(release('new'), { fail: { App: 'the app is broken' } });
  expect(result).toMatchObject({
    kind: 'update',
    status: 'UPDATE_ROLLBACK_COMPLETE',
    reason: 'App: the app is broken',
  });
  expect(timeline(result.events)).toEqual([
    'UPDATE_IN_PROGRESS',
    'Thing UPDATE_IN_PROGRESS',
    'Thing UPDATE_COMPLETE',
    'App UPDATE_IN_PROGRESS',
    'App UPDATE_FAILED',
    'UPDATE_ROLLBACK_IN_PROGRESS',
    'Thing UPDATE_IN_PROGRESS',
    'Thing UPDATE_COMPLETE',
    'App UPDATE_IN_PROGRESS',
    'App UPDATE_COMPLETE',
    'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
    'UPDATE_ROLLBACK_COMPLETE',
  ]);
  expect(bench.asked()).toMatchObject([
    { RequestType: 'Create', ResourceProperties: { Value: 'old', Number: '42' } },
    {
      RequestType: 'Update',
      PhysicalResourceId: 'thing-1',
      ResourceProperties: { Value: 'new' },
      OldResourceProperties: { Value: 'old', Number: '42' },
    },
    {
      RequestType: 'Update',
      PhysicalResourceId: 'thing-1',
      ResourceProperties: { Value: 'old' },
      OldResourceProperties: { Value: 'new' },
    },
  ]);
});

test('after a rollback the same update can be tried again and succeeds', async () => {
  await bench.deploy(release('old'));
  await bench.deploy(release('new'), { fail: { App: 'the app is broken' } });
  const result = await bench.deploy(release('new'));
  expect(result).toMatchObject({ status: 'UPDATE_COMPLETE' });
  expect(bench.asked().at(-1)).toMatchObject({
    ResourceProperties: { Value: 'new' },
    OldResourceProperties: { Value: 'old' },
  });
});

test('an untouched custom resource hears nothing of a failed update', async () => {
  await bench.deploy(release('old'));
  await bench.deploy({ ...release('old'), App: opaque({ Value: 'new' }) }, { fail: { App: 'broken' } });
  expect(bench.asked()).toHaveLength(1);
});

const withSetting = (value: string): Resources => ({
  ...release(value),
  Answering: {
    ...ANSWERING,
    Properties: { ...ANSWERING.Properties, Environment: { Variables: { RELEASE: value } } },
  },
});

test('a function has its old code again before the custom resource is asked on the way back', async () => {
  await bench.deploy(withSetting('old'));
  const { events } = await bench.deploy(withSetting('new'), { fail: { App: 'broken' } });
  const back = timeline(events).slice(timeline(events).indexOf('UPDATE_ROLLBACK_IN_PROGRESS'));
  expect(back.indexOf('Answering UPDATE_COMPLETE')).toBeLessThan(back.indexOf('Thing UPDATE_IN_PROGRESS'));
  expect(back.indexOf('Answering UPDATE_COMPLETE')).toBeGreaterThan(0);
});

test('a failed create deletes what was made, last first, and leaves nothing', async () => {
  const result = await bench.deploy(release('a'), { fail: { App: 'broken' } });
  expect(result).toMatchObject({ kind: 'create', status: 'ROLLBACK_COMPLETE', reason: 'App: broken' });
  expect(timeline(result.events).slice(-6)).toEqual([
    'ROLLBACK_IN_PROGRESS',
    'Thing DELETE_IN_PROGRESS',
    'Thing DELETE_COMPLETE',
    'Answering DELETE_IN_PROGRESS',
    'Answering DELETE_COMPLETE',
    'ROLLBACK_COMPLETE',
  ]);
  expect(bench.cloudFormation.stack('Shop')?.resources).toEqual([]);
});

test('a stack whose create failed is deleted and made anew by the next deploy', async () => {
  await bench.deploy(release('a'), { fail: { App: 'broken' } });
  const first = bench.cloudFormation.stack('Shop')?.id;
  const result = await bench.deploy(release('a'));
  expect(result).toMatchObject({ kind: 'create', status: 'CREATE_COMPLETE' });
  expect(bench.cloudFormation.stack('Shop')?.id).not.toBe(first);
});

test('what a failed update made is deleted in its cleanup, last first, after the old state is back', async () => {
  await bench.deploy(release('old'));
  const result = await bench.deploy(
    { ...release('new'), First: opaque(), Second: custom({}, { DependsOn: 'First' }) },
    { fail: { App: 'broken' } },
  );
  expect(timeline(result.events).slice(-6)).toEqual([
    'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
    'Second DELETE_IN_PROGRESS',
    'Second DELETE_COMPLETE',
    'First DELETE_IN_PROGRESS',
    'First DELETE_COMPLETE',
    'UPDATE_ROLLBACK_COMPLETE',
  ]);
});

test('what the new template leaves out is deleted in the cleanup, dependents first', async () => {
  await bench.deploy({ ...release('a'), Extra: opaque(), More: custom({ E: { Ref: 'Extra' } }) });
  const result = await bench.deploy(release('a'));
  expect(timeline(result.events)).toEqual([
    'UPDATE_IN_PROGRESS',
    'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
    'More DELETE_IN_PROGRESS',
    'More DELETE_COMPLETE',
    'Extra DELETE_IN_PROGRESS',
    'Extra DELETE_COMPLETE',
    'UPDATE_COMPLETE',
  ]);
});

test('a deletion that fails in the cleanup does not fail the update', async () => {
  await bench.deploy({ ...release('a'), More: custom({ Fail: 'Delete' }) });
  const result = await bench.deploy(release('a'));
  expect(timeline(result.events).slice(-2)).toEqual(['More DELETE_FAILED', 'UPDATE_COMPLETE']);
  expect(result.reason).toBeUndefined();
});

const stubborn = (value: string): Resources => ({
  ...release(value),
  Thing: custom({ Value: value, Fail: value === 'old' ? 'Update' : 'never' }),
});

test('a blocked way back stops the stack until it is continued', async () => {
  await bench.deploy(stubborn('old'));
  const blocked = await bench.deploy(stubborn('new'), { fail: { App: 'broken' } });
  expect(blocked.status).toBe('UPDATE_ROLLBACK_FAILED');
  await expect(bench.deploy(stubborn('new'))).rejects.toMatchObject({ code: 'deploy-impossible' });
  const again = await bench.cloudFormation.continueUpdateRollback('Shop');
  expect(again.status).toBe('UPDATE_ROLLBACK_FAILED');
  const skipped = await bench.cloudFormation.continueUpdateRollback('Shop', { skip: ['Thing'] });
  expect(skipped.status).toBe('UPDATE_ROLLBACK_COMPLETE');
});

test('a stack is deleted in reverse order', async () => {
  await bench.deploy(release('a'));
  const { status, events } = await bench.cloudFormation.destroy('Shop');
  expect(status).toBe('DELETE_COMPLETE');
  expect(timeline(events).filter((each) => each.endsWith('DELETE_COMPLETE'))).toEqual([
    'App DELETE_COMPLETE',
    'Thing DELETE_COMPLETE',
    'Answering DELETE_COMPLETE',
    'DELETE_COMPLETE',
  ]);
});

test('a resource that cannot be deleted holds the stack and what it depends on', async () => {
  await bench.deploy({ ...release('a'), Thing: custom({ Fail: 'Delete' }) });
  const { status } = await bench.cloudFormation.destroy('Shop');
  expect(status).toBe('DELETE_FAILED');
  const left = bench.cloudFormation.stack('Shop')?.resources.map(({ logicalId }) => logicalId);
  expect(left).toEqual(['Answering', 'Thing']);
});

test('retained resources are left standing when the stack goes', async () => {
  await bench.deploy({
    Kept: opaque({}, { DeletionPolicy: 'Retain' }),
    KeptToo: opaque({}, { DeletionPolicy: 'RetainExceptOnCreate' }),
    Gone: opaque(),
  });
  const { events } = await bench.cloudFormation.destroy('Shop');
  expect(
    timeline(events)
      .filter((each) => /SKIPPED|COMPLETE/.test(each))
      .sort(),
  ).toEqual(['DELETE_COMPLETE', 'Gone DELETE_COMPLETE', 'Kept DELETE_SKIPPED', 'KeptToo DELETE_SKIPPED']);
});

test('a failed create keeps retained resources but not those retained except on create', async () => {
  const { events } = await bench.deploy(
    {
      Kept: opaque({}, { DeletionPolicy: 'Retain' }),
      Gone: opaque({}, { DeletionPolicy: 'RetainExceptOnCreate' }),
      Last: opaque({}, { DependsOn: ['Kept', 'Gone'] }),
    },
    { fail: { Last: 'broken' } },
  );
  expect(timeline(events)).toContain('Kept DELETE_SKIPPED');
  expect(timeline(events)).toContain('Gone DELETE_COMPLETE');
});

test('a changed type of a resource is refused', async () => {
  await bench.deploy({ Thing: opaque() });
  const result = await bench.deploy({ Thing: { Type: 'AWS::SNS::Topic' } });
  expect(result).toMatchObject({
    status: 'UPDATE_ROLLBACK_COMPLETE',
    reason: 'Thing: Update of resource type is not permitted.',
  });
});

test('resources in a circle are refused before anything is made', async () => {
  await expect(
    bench.deploy({ A: opaque({ B: { Ref: 'B' } }), B: opaque({ A: { Ref: 'A' } }) }),
  ).rejects.toThrow('Circular dependency between resources: [A, B]');
  expect(bench.cloudFormation.stack('Shop')).toBeUndefined();
});

test('a fault that can hit nothing is refused', async () => {
  await expect(bench.deploy({ A: opaque() }, { fail: { Nobody: 'x' } })).rejects.toMatchObject({
    code: 'bad-option',
  });
});

test('a fault hits every resource whose logical id begins with its name', async () => {
  const result = await bench.deploy(
    { AppService0A1B2C3D: opaque() },
    { fail: { AppService: 'no capacity' } },
  );
  expect(result.reason).toBe('AppService0A1B2C3D: no capacity');
});

test('an event names the construct behind its resource', async () => {
  const { events } = await bench.deploy({
    Q1: opaque({}, { Metadata: { 'aws:cdk:path': 'Shop/Queue/Resource' } }),
  });
  expect(events.find(({ logicalId }) => logicalId === 'Q1')?.path).toBe('Shop/Queue/Resource');
});

test('a custom resource of the CDK itself counts as done without asking its function', async () => {
  const result = await bench.deploy({
    Restricted: { Type: 'Custom::VpcRestrictDefaultSG', Properties: { ServiceToken: 'arn:of:nobody' } },
  });
  expect(result.status).toBe('CREATE_COMPLETE');
});

const broken = (value: string): Resources => ({
  Answering: ANSWERING,
  First: custom({ Value: value }),
  Second: custom({ Value: value, Fail: value === 'old' ? 'Update' : 'never' }, { DependsOn: 'First' }),
  App: opaque({ Value: value }, { DependsOn: 'Second' }),
});

test('a continued rollback asks nobody twice and still deletes what was made in vain', async () => {
  await bench.deploy(broken('old'));
  await bench.deploy({ ...broken('new'), Extra: custom() }, { fail: { App: 'broken' } });
  const asked = bench.asked().length;
  const { events } = await bench.cloudFormation.continueUpdateRollback('Shop', { skip: ['Second'] });
  expect(bench.asked().slice(asked)).toMatchObject([{ RequestType: 'Delete', LogicalResourceId: 'Extra' }]);
  expect(timeline(events)).toContain('Extra DELETE_COMPLETE');
});
