import { afterEach, beforeEach, expect, test } from 'vitest';

import { opaque, openWorkbench, timeline, type Resources, type Workbench } from './workbench.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = await openWorkbench();
});

afterEach(async () => {
  await bench.close();
});

/** As CDK writes it: each release has a version resource of its own. */
const release = (word: string, policy: object): Resources => ({
  Function: {
    Type: 'AWS::Lambda::Function',
    Properties: {
      FunctionName: 'f',
      Handler: 'index.handler',
      Role: 'arn:aws:iam::111122223333:role/f',
      Code: { ZipFile: `exports.handler = async () => '${word}';` },
    },
  },
  [`Version${word}`]: {
    Type: 'AWS::Lambda::Version',
    Properties: { FunctionName: { Ref: 'Function' } },
    ...policy,
  },
  Live: {
    Type: 'AWS::Lambda::Alias',
    Properties: {
      Name: 'live',
      FunctionName: { Ref: 'Function' },
      FunctionVersion: { 'Fn::GetAtt': [`Version${word}`, 'Version'] },
    },
  },
  App: opaque({ word }, { DependsOn: 'Live' }),
});

const KEPT = { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' };
const ALWAYS_KEPT = { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' };

const says = async (name: string): Promise<unknown> =>
  JSON.parse((await bench.lambda.invoke(name, {})).payload);

test('an alias follows the release', async () => {
  await bench.deploy(release('A', {}));
  await bench.deploy(release('B', {}));
  expect(await says('f:live')).toBe('B');
});

test('a version without a policy goes in the cleanup of the next release', async () => {
  await bench.deploy(release('A', {}));
  const { events } = await bench.deploy(release('B', {}));
  expect(timeline(events)).toContain('VersionA DELETE_COMPLETE');
  await expect(says('f:1')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
});

test('a version retained except on create outlives the next release', async () => {
  await bench.deploy(release('A', KEPT));
  await bench.deploy(release('B', KEPT));
  expect(await says('f:1')).toBe('A');
});

test('a version of a failed release goes, so that the release can be tried again', async () => {
  await bench.deploy(release('A', KEPT));
  const failed = await bench.deploy(release('B', KEPT), { fail: { App: 'broken' } });
  expect(timeline(failed.events)).toContain('VersionB DELETE_COMPLETE');
  expect(await says('f:live')).toBe('A');
  expect((await bench.deploy(release('B', KEPT))).status).toBe('UPDATE_COMPLETE');
});

test('a version that is always retained blocks the second try of its release', async () => {
  await bench.deploy(release('A', ALWAYS_KEPT));
  const failed = await bench.deploy(release('B', ALWAYS_KEPT), { fail: { App: 'broken' } });
  expect(timeline(failed.events)).toContain('VersionB DELETE_SKIPPED');
  const again = await bench.deploy(release('B', ALWAYS_KEPT));
  expect(again.reason).toBe(
    'VersionB: A version for this Lambda function exists ( 2 ). Modify the function to create a new version.',
  );
});

const withCluster = (word: string): Resources => ({
  ...release(word, {}),
  Cluster: {
    Type: 'AWS::RDS::DBCluster',
    Properties: { EngineVersion: word },
    DependsOn: `Version${word}`,
  },
  Last: opaque({ word }, { DependsOn: ['Cluster', 'App'] }),
});

test('the newer version still answers while the way back is under way', async () => {
  const seen: unknown[] = [];
  await bench.close();
  bench = await openWorkbench({
    hooks: {
      onClusterUpdated: async () => {
        seen.push(await says('f:2'));
      },
    },
  });
  await bench.deploy(withCluster('A'));
  await bench.deploy(withCluster('B'), { fail: { Last: 'broken' } });
  // Once on the way forward, once on the way back.
  expect(seen).toEqual(['B', 'B']);
  await expect(says('f:2')).rejects.toMatchObject({ code: 'ResourceNotFoundException' });
});
