import { afterEach, beforeEach, expect, test } from 'vitest';

import { opaque, openWorkbench, type Resources, type Workbench } from './workbench.ts';

let bench: Workbench;

beforeEach(async () => {
  bench = await openWorkbench();
});

afterEach(async () => {
  await bench.close();
});

const ROLE = 'arn:aws:iam::111122223333:role/app';

const role = (properties: object = {}): object => ({
  Type: 'AWS::IAM::Role',
  Properties: { RoleName: 'app', AssumeRolePolicyDocument: {}, ...properties },
});
const policy = (...statements: object[]): object => ({
  Type: 'AWS::IAM::Policy',
  Properties: { PolicyName: 'p', Roles: [{ Ref: 'Role' }], PolicyDocument: { Statement: statements } },
});
const allow = (Action: unknown, Resource: unknown): object => ({ Effect: 'Allow', Action, Resource });
const deny = (Action: unknown, Resource: unknown): object => ({ Effect: 'Deny', Action, Resource });

const CLUSTER = 'arn:aws:rds:eu-west-1:111122223333:cluster:db';

test.each([
  ['the very action and resource', [allow('rds-data:ExecuteStatement', CLUSTER)], true],
  [
    'one of several actions',
    [allow(['rds-data:BeginTransaction', 'rds-data:ExecuteStatement'], [CLUSTER])],
    true,
  ],
  ['a wildcard in the action, whatever its case', [allow('RDS-data:execute*', '*')], true],
  ['a wildcard in the resource', [allow('rds-data:*', 'arn:aws:rds:*:cluster:?b')], true],
  ['another action', [allow('rds-data:BeginTransaction', '*')], false],
  ['another resource', [allow('rds-data:*', `${CLUSTER}2`)], false],
  ['a deny beside an allow', [allow('*', '*'), deny('rds-data:Execute*', CLUSTER)], false],
  ['a deny of something else', [allow('*', '*'), deny('rds-data:Begin*', '*')], true],
  ['everything but another action', [{ Effect: 'Allow', NotAction: 'iam:*', Resource: '*' }], true],
  ['everything but this resource', [{ Effect: 'Allow', Action: '*', NotResource: CLUSTER }], false],
  ['nothing', [], false],
])('a policy with %s decides', async (_case, statements, expected) => {
  await bench.deploy({ Role: role(), Policy: policy(...statements) });
  expect(bench.cloudFormation.allows(ROLE, 'rds-data:ExecuteStatement', CLUSTER)).toBe(expected);
});

test('a function asks by its access key and is held to the policies of its role', async () => {
  await bench.deploy({
    Role: role({
      Policies: [{ PolicyName: 'inline', PolicyDocument: { Statement: allow('s3:Get*', '*') } }],
    }),
  });
  const { AWS_ACCESS_KEY_ID: key = '' } = bench.lambda.credentialsOf(ROLE);
  expect(bench.cloudFormation.allows(key, 's3:GetObject', 'arn:aws:s3:::b/k')).toBe(true);
  expect(bench.cloudFormation.allows(key, 's3:PutObject', 'arn:aws:s3:::b/k')).toBe(false);
});

test('a person on the machine may do everything', () => {
  expect(bench.cloudFormation.allows('AKIAPERSON', 's3:PutObject', '*')).toBe(true);
});

const managed = (name: string, more: object): object => ({
  Type: 'AWS::IAM::ManagedPolicy',
  Properties: { PolicyDocument: { Statement: allow(`${name}:*`, '*') }, ...more },
});

test('a managed policy counts for the roles that name it and for those it names', async () => {
  await bench.deploy({
    Named: managed('a', {}),
    Role: role({ ManagedPolicyArns: [{ Ref: 'Named' }] }),
    Naming: managed('b', { Roles: [{ Ref: 'Role' }] }),
    Neither: managed('c', {}),
  });
  expect(['a:Do', 'b:Do', 'c:Do'].map((each) => bench.cloudFormation.allows(ROLE, each, '*'))).toEqual([
    true,
    true,
    false,
  ]);
});

const release = (action: string): Resources => ({
  Role: role(),
  Policy: policy(allow(action, '*')),
  App: opaque({ action }, { DependsOn: 'Policy' }),
});

test('a rollback takes the policies back too', async () => {
  await bench.deploy(release('a:Old'));
  await bench.deploy(release('a:New'), { fail: { App: 'broken' } });
  expect(bench.cloudFormation.allows(ROLE, 'a:Old', '*')).toBe(true);
  expect(bench.cloudFormation.allows(ROLE, 'a:New', '*')).toBe(false);
});

test('a deleted policy allows nothing', async () => {
  await bench.deploy({ Role: role(), Policy: policy(allow('*', '*')) });
  await bench.deploy({ Role: role() });
  expect(bench.cloudFormation.policies(ROLE)).toEqual([]);
});
