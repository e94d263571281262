import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { expect, onTestFinished } from 'vitest';
import { Migrations, type MigrationsProps } from '../../infra/index.ts';
import { type Files, sameFolderOf, migrationText } from './folder.ts';

/** CloudFormation type of the resource that holds a deploy. */
export const CUSTOM = 'Custom::ForerunMigrations';
/** ARN of the cluster of `newStack`. */
export const CLUSTER_ARN = {
  'Fn::Join': [
    '',
    [
      'arn:',
      { Ref: 'AWS::Partition' },
      ':rds:',
      { Ref: 'AWS::Region' },
      ':',
      { Ref: 'AWS::AccountId' },
      ':cluster:',
      { Ref: 'DatabaseB269D8BB' },
    ],
  ],
};
/** ARN of its master secret, once attached. */
export const SECRET_ARN = { Ref: 'DatabaseSecretAttachmentE5D1B020' };

export const ONE: Files = { '0001_first.ts': migrationText('base') };

/** An app whose assembly lies in a folder that the test removes. */
export function newApp(context: Readonly<Record<string, unknown>> = {}): App {
  const outdir = mkdtempSync(join(tmpdir(), 'forerun-test-'));
  onTestFinished(() => {
    rmSync(outdir, { recursive: true, force: true });
  });
  return new App({ outdir, context });
}

/** A cluster with a writer and a reader. */
export function newCluster(stack: Stack, props: Partial<rds.DatabaseClusterProps> = {}): rds.DatabaseCluster {
  return new rds.DatabaseCluster(stack, 'Database', {
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
    vpc: new ec2.Vpc(stack, 'Network', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Database', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
    }) as ec2.IVpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    writer: rds.ClusterInstance.serverlessV2('Writer'),
    readers: [rds.ClusterInstance.serverlessV2('AReader', { scaleWithWriter: true })],
    defaultDatabaseName: 'app',
    ...props,
  });
}

/** What the tests change about a stack with one `Migrations`. */
export interface Variant {
  readonly files?: Files;
  readonly cluster?: Partial<rds.DatabaseClusterProps>;
  readonly props?: Partial<MigrationsProps>;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** A stack with a cluster and its migrations. */
export function newStack({ files = ONE, cluster, props, context }: Variant = {}) {
  const stack = new Stack(newApp(context), 'App');
  const database = newCluster(stack, cluster);
  const migrations = new Migrations(stack, 'Migrations', {
    cluster: database,
    directory: sameFolderOf(files),
    deployId: 'deploy-1',
    ...props,
  });
  return { stack, database, migrations };
}

let plain: ReturnType<typeof newStack> | undefined;

/** The stack of `newStack()`, made once in a file, for tests that only look at it. */
export function plainStack(): ReturnType<typeof newStack> {
  if (plain === undefined) {
    plain = newStack();
    // Synthesised now: the folders go with the test that came first.
    resourcesOf(plain.stack);
  }
  return plain;
}

const templates = new WeakMap<Stack, Readonly<Record<string, TemplateResource>>>();

/** A resource as it stands in the template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** The resources of a stack by logical id. The first look synthesises the stack for good. */
export function resourcesOf(stack: Stack): Readonly<Record<string, TemplateResource>> {
  const known = templates.get(stack);
  if (known !== undefined) return known;
  const resources = Template.fromStack(stack).toJSON()['Resources'] as Readonly<
    Record<string, TemplateResource>
  >;
  templates.set(stack, resources);
  return resources;
}

/** The only resource of a type whose logical id begins like this. */
export function resourceOf(
  stack: Stack,
  type: string,
  prefix = '',
): TemplateResource & { readonly id: string } {
  const found = Object.entries(resourcesOf(stack)).filter(
    ([id, resource]) => resource.Type === type && id.startsWith(prefix),
  );
  const [[id, resource] = ['', undefined], ...more] = found;
  if (resource === undefined || more.length > 0) {
    throw new TypeError(`${found.length} resources of type ${type}: ${found.map(([one]) => one).join(', ')}`);
  }
  return { ...resource, id };
}

/** All logical ids that a resource waits for, through `DependsOn` and references alike. */
export function waitsFor(stack: Stack, id: string): ReadonlySet<string> {
  const resources = resourcesOf(stack);
  const reached = new Set<string>();
  const visit = (from: string): void => {
    const text = JSON.stringify(resources[from]);
    for (const other of Object.keys(resources)) {
      if (other === from || reached.has(other) || !text.includes(`"${other}"`)) continue;
      reached.add(other);
      visit(other);
    }
  };
  visit(id);
  return reached;
}

/** The statements of the policy of a role, by the beginning of the policy's logical id. */
export function statementsOf(stack: Stack, prefix: string): readonly unknown[] {
  const { Properties } = resourceOf(stack, 'AWS::IAM::Policy', prefix);
  return (Properties['PolicyDocument'] as { readonly Statement: readonly unknown[] }).Statement;
}

/** The function of an app. */
export function newFunction(stack: Stack, environment: Record<string, string> = {}): lambda.Function {
  return new lambda.Function(stack, 'Code', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => 1;'),
    environment,
  });
}

/** A cluster that was made elsewhere. */
export function importedCluster({
  dataApiEnabled,
  withSecret,
}: {
  dataApiEnabled?: boolean;
  withSecret: boolean;
}) {
  const stack = new Stack(newApp(), 'App');
  const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'imported');
  const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Database', {
    clusterIdentifier: 'imported',
    ...(dataApiEnabled === undefined ? {} : { dataApiEnabled }),
    ...(withSecret ? { secret } : {}),
  });
  return { stack, cluster };
}

/** The refusal of a property, with its whole text. */
export function misuse(message: string): unknown {
  return expect.objectContaining({ code: 'construct-misused', message });
}
