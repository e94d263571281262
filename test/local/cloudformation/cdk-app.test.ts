import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  App,
  CustomResource,
  Duration,
  NestedStack,
  RemovalPolicy,
  Stack,
  type StackProps,
} from 'aws-cdk-lib';
import { SubnetType, Vpc, type IVpc } from 'aws-cdk-lib/aws-ec2';
import { Alias, Code, Function as Lambda, Runtime, type IVersion } from 'aws-cdk-lib/aws-lambda';
import {
  AuroraPostgresEngineVersion,
  ClusterInstance,
  DatabaseCluster,
  DatabaseClusterEngine,
  type IDatabaseCluster,
} from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';
import { afterEach, beforeEach, expect, test } from 'vitest';

import {
  startCloudFormation,
  type LocalCloudFormation,
} from '../../../local/cloudformation/start-cloudformation.ts';
import type { StackEvent } from '../../../local/cloudformation/status.ts';
import { startLambda, type LocalLambda } from '../../../local/lambda/start-lambda.ts';
import { timeline } from './workbench.ts';

let root: string;
let lambda: LocalLambda;
let cloudFormation: LocalCloudFormation;
let clusters: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'forerun-test-'));
  clusters = [];
  lambda = await startLambda();
  cloudFormation = await startCloudFormation({
    lambda,
    hooks: { onCluster: async ({ identifier }) => void clusters.push(identifier) },
  });
});

afterEach(async () => {
  await lambda.close();
  await cloudFormation.close();
  await rm(root, { recursive: true, force: true });
});

/** Answers every event, and tells what it may do as whom. */
const ANSWER = `
export const handler = async (event) => {
  const { StackId, RequestId, LogicalResourceId, RequestType, ResourceProperties } = event;
  console.log(RequestType, ResourceProperties.Release);
  const body = JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'gate', StackId, RequestId, LogicalResourceId, Data: { Head: ResourceProperties.Release } });
  await fetch(event.ResponseURL, { method: 'PUT', body });
};`;

class DatabaseStack extends Stack {
  readonly cluster: IDatabaseCluster;

  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    this.cluster = new DatabaseCluster(this, 'Db', {
      engine: DatabaseClusterEngine.auroraPostgres({ version: AuroraPostgresEngineVersion.VER_16_4 }),
      vpc: new Vpc(this, 'Vpc', { maxAzs: 2, natGateways: 0 }) as IVpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED },
      writer: ClusterInstance.serverlessV2('writer'),
      enableDataApi: true,
      defaultDatabaseName: 'shop',
    });
  }
}

/** A gate, a function with versions and a live alias that waits for the gate. */
function addApp(scope: Construct, code: string, release: string, cluster?: IDatabaseCluster): void {
  const gate = new Lambda(scope, 'Gate', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromAsset(code),
    timeout: Duration.seconds(20),
  });
  const app = new Lambda(scope, 'App', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: Code.fromInline(`exports.handler = async () => [process.env.RELEASE, process.env.CLUSTER];`),
    environment: { RELEASE: release, CLUSTER: cluster?.clusterArn ?? 'none' },
    currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
  });
  const held = new CustomResource(scope, 'Held', {
    resourceType: 'Custom::Held',
    serviceToken: gate.functionArn,
    serviceTimeout: Duration.seconds(60),
    properties: { Release: release },
  });
  const live = new Alias(scope, 'Live', { aliasName: 'live', version: app.currentVersion as IVersion });
  live.node.addDependency(held);
}

async function synth(build: (app: App, code: string) => void): Promise<string> {
  const code = await mkdtemp(join(root, 'code-'));
  await writeFile(join(code, 'index.mjs'), ANSWER);
  const app = new App({
    outdir: await mkdtemp(join(root, 'out-')),
    // The CDK command line sets this one; without it no template names its constructs.
    context: { 'aws:cdk:enable-path-metadata': true },
  });
  build(app, code);
  return app.synth().directory;
}

const env = { account: '111122223333', region: 'eu-west-1' };

const shop = (release: string): Promise<string> =>
  synth((app, code) => {
    const { cluster } = new DatabaseStack(app, 'Database', { env });
    addApp(new Stack(app, 'Shop', { env }), code, release, cluster);
  });

const nested = (release: string): Promise<string> =>
  synth((app, code) => {
    const stack = new Stack(app, 'Shop', { env });
    const inner = new NestedStack(stack, 'Inner');
    addApp(inner, code, release);
    const after = new Lambda(stack, 'After', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromInline(`exports.handler = async () => '${release}';`),
    });
    after.node.addDependency(inner);
  });

function idOf(events: readonly StackEvent[], path: string): string {
  return events.find((each) => each.path === path && each.status === 'CREATE_COMPLETE')?.physicalId ?? '';
}

test('a CDK app with a database stack and an app stack is deployed, rolled back, tried again and deleted', async () => {
  const created = await cloudFormation.deploy(await shop('one'), 'Shop');
  expect(created).toMatchObject({ kind: 'create', status: 'CREATE_COMPLETE' });
  expect(clusters).toHaveLength(1);
  const gate = idOf(created.events, 'Shop/Gate/Resource');
  const live = idOf(created.events, 'Shop/Live/Resource');
  const says = async (): Promise<unknown> => JSON.parse((await lambda.invoke(live, {})).payload);
  const cluster = `arn:aws:rds:eu-west-1:111122223333:cluster:${clusters[0]}`;
  expect(await says()).toEqual(['one', cluster]);

  const failed = await cloudFormation.deploy(await shop('two'), 'Shop', { fail: { Live: 'alarm' } });
  expect(failed).toMatchObject({ kind: 'update', status: 'UPDATE_ROLLBACK_COMPLETE' });
  expect(await says()).toEqual(['one', cluster]);

  const again = await cloudFormation.deploy(await shop('two'), 'Shop');
  expect(again.status).toBe('UPDATE_COMPLETE');
  expect(await says()).toEqual(['two', cluster]);
  expect(lambda.logs(gate).map(({ line }) => line)).toEqual([
    'Create one',
    'Update two',
    'Update one',
    'Update two',
  ]);

  expect((await cloudFormation.deploy(await shop('two'), 'Shop')).kind).toBe('no-changes');
  expect((await cloudFormation.destroy('Shop')).status).toBe('DELETE_COMPLETE');
});

test('the roles that CDK writes may do what CDK granted and nothing else', async () => {
  const directory = await synth((app, code) => {
    const { cluster } = new DatabaseStack(app, 'Database', { env });
    const stack = new Stack(app, 'Shop', { env });
    const reader = new Lambda(stack, 'Reader', {
      runtime: Runtime.NODEJS_24_X,
      handler: 'index.handler',
      code: Code.fromAsset(code),
    });
    cluster.grantDataApiAccess(reader);
  });
  const { events } = await cloudFormation.deploy(directory, 'Shop');
  const arn = `arn:aws:iam::111122223333:role/${idOf(events, 'Shop/Reader/ServiceRole/Resource')}`;
  const cluster = `arn:aws:rds:eu-west-1:111122223333:cluster:${clusters[0]}`;
  expect(cloudFormation.allows(arn, 'rds-data:ExecuteStatement', cluster)).toBe(true);
  expect(cloudFormation.allows(arn, 'rds-data:ExecuteStatement', `${cluster}-other`)).toBe(false);
  expect(cloudFormation.allows(arn, 'rds:DeleteDBCluster', cluster)).toBe(false);
});

test('a nested stack goes forward and back with its parent', async () => {
  const created = await cloudFormation.deploy(await nested('one'), 'Shop');
  expect(created.status).toBe('CREATE_COMPLETE');
  const id = idOf(created.events, 'Shop/Inner.NestedStack/Inner.NestedStackResource');
  const failed = await cloudFormation.deploy(await nested('two'), 'Shop', { fail: { After: 'broken' } });
  expect(failed.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  const inner = cloudFormation.stack(id);
  expect(inner?.status).toBe('UPDATE_ROLLBACK_COMPLETE');
  const gate = idOf(inner?.events ?? [], 'Shop/Inner/Gate/Resource');
  expect(lambda.logs(gate).map(({ line }) => line)).toEqual(['Create one', 'Update two', 'Update one']);
  const again = await cloudFormation.deploy(await nested('two'), 'Shop');
  expect(again.status).toBe('UPDATE_COMPLETE');
  expect(timeline(cloudFormation.stack(id)?.events ?? []).at(-1)).toBe('UPDATE_COMPLETE');
  expect((await cloudFormation.destroy('Shop')).status).toBe('DELETE_COMPLETE');
  expect(cloudFormation.stack(id)?.status).toBe('DELETE_COMPLETE');
});
