import { fileURLToPath } from 'node:url';
import { App, CfnParameter, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import settings from '../../cdk.json' with { type: 'json' };
import { Migrations, type MigrationsProps } from '../../infra/index.ts';

export const APP_STACK = 'Shop';
export const DATABASE_STACK = 'ShopDatabase';

/** How a release of the stage's app differs from the plain one. */
export interface AppVariant {
  readonly props?: Partial<Omit<MigrationsProps, 'cluster' | 'directory'>>;
  /** Id of the construct, or null for a release without migrations. */
  readonly construct?: string | null;
  /** The database in the app's own stack; in a stack of its own by default. */
  readonly together?: boolean;
  /** Whatever replaces the cluster: a new key for its storage. */
  readonly storageKey?: string;
  readonly databaseName?: string;
  /** Log in with a secret of the migrations' own, by this construct id. */
  readonly ownSecret?: string;
  /** Tell an event bus of the stack, by this construct id, of every run. */
  readonly eventBus?: string;
  /** Takes the right to do so from the runner again. */
  readonly eventsDenied?: boolean;
  /** With a resource that comes last of all. */
  readonly late?: boolean;
  /** Default values of template parameters, which the migrations are told as `told`. */
  readonly told?: readonly string[];
}

export interface AppOptions extends AppVariant {
  readonly outdir: string;
  readonly directory: string;
  readonly release: string;
}

/** An app like the demo's: a database, migrations, and a function behind an alias that waits for them. */
export function synthesise(options: AppOptions): void {
  const { outdir, together = false, construct = 'Migrations' } = options;
  const app = new App({ outdir, context: { ...settings.context, 'aws:cdk:enable-path-metadata': true } });
  const own = together ? null : new Stack(app, DATABASE_STACK);
  const stack = new Stack(app, APP_STACK);
  const cluster = clusterIn(own ?? stack, options);
  const live = liveAlias(stack, options.release);
  if (construct !== null) {
    const migrations = new Migrations(stack, construct, {
      cluster,
      directory: options.directory,
      deployId: options.release,
      ...(options.ownSecret === undefined
        ? {}
        : // oxlint-disable-next-line typescript/no-unsafe-type-assertion
          { secret: new secretsmanager.Secret(stack, options.ownSecret) as secretsmanager.ISecret }),
      ...(options.eventBus === undefined
        ? {}
        : // oxlint-disable-next-line typescript/no-unsafe-type-assertion
          { eventBus: new events.EventBus(stack, options.eventBus) as events.IEventBus }),
      ...(options.told === undefined ? {} : { params: { told: toldIn(stack, options.told) } }),
      ...options.props,
    });
    if (options.eventsDenied === true) {
      migrations.runner.addToRolePolicy(
        new iam.PolicyStatement({
          effect: iam.Effect.DENY,
          actions: ['events:PutEvents'],
          resources: ['*'],
        }),
      );
    }
    migrations.runBefore(live);
    if (options.late === true) {
      const last = new ssm.StringParameter(stack, 'Late', { stringValue: options.release });
      last.node.addDependency(migrations.afterResource ?? live);
    }
  }
  if (own !== null) stack.addStackDependency(own);
  app.synth();
}

const toldIn = (stack: Stack, texts: readonly string[]): readonly string[] =>
  texts.map((text, at) => new CfnParameter(stack, `Told${at}`, { default: text }).valueAsString);

function clusterIn(stack: Stack, { storageKey, databaseName = 'app' }: AppVariant): rds.DatabaseCluster {
  const vpc = new ec2.Vpc(stack, 'Network', {
    maxAzs: 2,
    natGateways: 0,
    subnetConfiguration: [{ name: 'Database', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
    restrictDefaultSecurityGroup: false,
  });
  return new rds.DatabaseCluster(stack, 'Database', {
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
    // CDK's own types do not hold under TypeScript's `exactOptionalPropertyTypes`.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    vpc: vpc as ec2.IVpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    writer: rds.ClusterInstance.serverlessV2('Writer'),
    defaultDatabaseName: databaseName,
    enableDataApi: true,
    manageMasterUserPassword: true,
    storageEncrypted: true,
    removalPolicy: RemovalPolicy.DESTROY,
    ...(storageKey === undefined ? {} : { storageEncryptionKey: new kms.Key(stack, storageKey) }),
  });
}

function liveAlias(stack: Stack, release: string): lambda.Alias {
  const role = new iam.Role(stack, 'AppRole', {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
  });
  const app = new lambda.Function(stack, 'App', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromAsset(fileURLToPath(new URL('../../infra/demo/app-function', import.meta.url))),
    environment: { APP_VERSION: release },
    role,
    currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
  });
  return app.addAlias('live');
}
