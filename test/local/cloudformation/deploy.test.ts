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
