import { afterEach, beforeEach, expect, test } from 'vitest';

import type { ClusterMade, SecretMade } from '../../../local/cloudformation/hooks.ts';
import { opaque, openWorkbench, timeline, type Workbench } from './workbench.ts';

let bench: Workbench;
let clusters: ClusterMade[];
let secrets: SecretMade[];
let told: string[];
let refusal: Error | undefined;

beforeEach(async () => {
  clusters = [];
  secrets = [];
  told = [];
  refusal = undefined;
  bench = await openWorkbench({
    hooks: {
      onCluster: async (cluster) => {
        await Promise.resolve();
        if (refusal !== undefined) throw refusal;
        clusters.push(cluster);
        return { address: '127.0.0.1', port: 6543 };
      },
      onClusterDeleted: async ({ identifier }) => void told.push(`cluster ${identifier} deleted`),
      onSecret: async (secret) => void secrets.push(secret),
      onSecretDeleted: async ({ arn }) => void told.push(`secret ${arn} deleted`),
      onSecretAttached: async ({ targetId }) => void told.push(`attached to ${targetId}`),
    },
  });
});

afterEach(async () => {
  await bench.close();
});

const cluster = (properties: object = {}, more: object = {}): object => ({
  Type: 'AWS::RDS::DBCluster',
  Properties: {
    DatabaseName: 'shop',
    MasterUsername: 'admin',
    ManageMasterUserPassword: true,
    ...properties,
  },
  ...more,
});

test('a cluster is announced with everything needed to make the real one', async () => {
  await bench.deploy({ Db: cluster({ DBClusterIdentifier: 'Shop' }) });
  expect(clusters).toMatchObject([
    {
      arn: 'arn:aws:rds:eu-west-1:111122223333:cluster:shop',
      identifier: 'shop',
      databaseName: 'shop',
      masterUsername: 'admin',
      managesMasterSecret: true,
    },
  ]);
  expect(clusters[0]?.masterSecretArn).toMatch(
    /^arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!cluster-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}-[\da-zA-Z]{6}$/,
  );
});

const att = (name: string): object => ({ 'Fn::GetAtt': ['Db', name] });

test('attributes of the cluster reach the resources that use them', async () => {
  await bench.deploy({
    Db: cluster(),
    App: opaque({
      arn: att('DBClusterArn'),
      secret: att('MasterUserSecret.SecretArn'),
      host: att('Endpoint.Address'),
      port: att('Endpoint.Port'),
    }),
  });
  const app = bench.cloudFormation.stack('Shop')?.resources.find(({ logicalId }) => logicalId === 'App');
  expect(app?.properties).toEqual({
    arn: clusters[0]?.arn,
    secret: clusters[0]?.masterSecretArn,
    host: '127.0.0.1',
    port: '6543',
  });
});

test('a cluster that cannot be made fails its resource with the reason', async () => {
  refusal = new RangeError('no room on the disk');
  const result = await bench.deploy({ Db: cluster() });
  expect(result).toMatchObject({ status: 'ROLLBACK_COMPLETE', reason: 'Db: no room on the disk' });
});

test('equal deploys give equal identifiers', async () => {
  await bench.deploy({ Db: cluster() });
  await bench.close();
  const [first] = clusters;
  bench = await openWorkbench({ hooks: { onCluster: async (each) => void clusters.push(each) } });
  await bench.deploy({ Db: cluster() });
  expect(clusters[1]?.arn).toBe(first?.arn);
  expect(clusters[1]?.masterSecretArn).toBe(first?.masterSecretArn);
});

test('a changed key replaces the cluster, and the old one goes in the cleanup', async () => {
  await bench.deploy({ Db: cluster({ KmsKeyId: 'a' }) });
  const { events } = await bench.deploy({ Db: cluster({ KmsKeyId: 'b' }) });
  const [before, after] = clusters;
  expect(after?.identifier).not.toBe(before?.identifier);
  expect(told).toEqual([`cluster ${before?.identifier} deleted`]);
  expect(timeline(events).slice(-3)).toEqual([
    'Db DELETE_IN_PROGRESS',
    'Db DELETE_COMPLETE',
    'UPDATE_COMPLETE',
  ]);
});

const release = (key: string): Record<string, object> => ({
  Db: cluster({ KmsKeyId: key }),
  App: opaque({ arn: { 'Fn::GetAtt': ['Db', 'DBClusterArn'] } }),
});

test('a replaced cluster comes back when the update fails, and the new one goes', async () => {
  await bench.deploy(release('a'));
  await bench.deploy(release('b'), { fail: { App: 'broken' } });
  const [before, after] = clusters;
  const resources = bench.cloudFormation.stack('Shop')?.resources ?? [];
  expect(told).toEqual([`cluster ${after?.identifier} deleted`]);
  expect(resources.map(({ properties }) => properties['arn'] ?? properties['KmsKeyId'])).toEqual([
    'a',
    before?.arn,
  ]);
});

test('a replaced cluster is kept where the policy says so', async () => {
  await bench.deploy({ Db: cluster({ KmsKeyId: 'a' }, { UpdateReplacePolicy: 'Retain' }) });
  const { events } = await bench.deploy({
    Db: cluster({ KmsKeyId: 'b' }, { UpdateReplacePolicy: 'Retain' }),
  });
  expect(told).toEqual([]);
  expect(timeline(events)).toContain('Db DELETE_SKIPPED');
});

test('a protected cluster makes the rollback of its own create fail', async () => {
  const result = await bench.deploy(
    { Db: cluster({ DeletionProtection: true }), App: opaque({}, { DependsOn: 'Db' }) },
    { fail: { App: 'the first migration is broken' } },
  );
  expect(result).toMatchObject({ status: 'ROLLBACK_FAILED', reason: 'App: the first migration is broken' });
  expect(result.events.find(({ status }) => status === 'DELETE_FAILED')?.reason).toContain(
    'deletion protection',
  );
});

test('a generated secret is announced, and its cluster names it as the master secret', async () => {
  await bench.deploy({
    Secret: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: {
        Name: 'shop/db',
        GenerateSecretString: { GenerateStringKey: 'password', SecretStringTemplate: '{"username":"admin"}' },
      },
    },
    Db: cluster({
      ManageMasterUserPassword: false,
      MasterUserPassword: {
        'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: 'Secret' }, ':SecretString:password::}}']],
      },
    }),
    Attachment: {
      Type: 'AWS::SecretsManager::SecretTargetAttachment',
      Properties: { SecretId: { Ref: 'Secret' }, TargetId: { Ref: 'Db' }, TargetType: 'AWS::RDS::DBCluster' },
    },
    App: opaque({ secret: { Ref: 'Attachment' } }),
  });
  const app = bench.cloudFormation.stack('Shop')?.resources.find(({ logicalId }) => logicalId === 'App');
  expect(secrets).toMatchObject([{ name: 'shop/db', generate: { GenerateStringKey: 'password' } }]);
  expect(secrets[0]?.arn).toMatch(/^arn:aws:secretsmanager:eu-west-1:111122223333:secret:shop\/db-.{6}$/);
  expect(clusters[0]).toMatchObject({ masterSecretArn: secrets[0]?.arn, managesMasterSecret: false });
  expect(told).toEqual([`attached to ${clusters[0]?.identifier}`]);
  expect(app?.properties).toEqual({ secret: secrets[0]?.arn });
});

const named = (key: string): object => cluster({ DBClusterIdentifier: 'shop', KmsKeyId: key });

test('a cluster with a fixed name cannot be replaced', async () => {
  await bench.deploy({ Db: named('a') });
  const result = await bench.deploy({ Db: named('b') });
  expect(result.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  expect(result.reason).toContain('a custom-named resource requires replacing. Rename shop');
  expect(clusters).toHaveLength(1);
});
