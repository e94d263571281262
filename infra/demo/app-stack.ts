import { fileURLToPath } from 'node:url';
import { type App, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type * as rds from 'aws-cdk-lib/aws-rds';
import { acknowledgeFindings, Migrations } from '../index.ts';
import { DATABASE } from './database-stack.ts';

export interface AppStackProps {
  readonly cluster: rds.DatabaseCluster;
  /** Folder with the migrations. */
  readonly directory: string;
  /** Stands in the function's environment, so that a new one makes a new version of the function. */
  readonly appVersion: string;
  /**
   * @default - as `Migrations` finds it
   */
  readonly deployId?: string;
}

/** A publishing app: its new version goes live only after the database was migrated. */
export class AppStack extends Stack {
  readonly migrations: Migrations;
  /** What callers use; it moves to the new version once the migrations are applied. */
  readonly live: lambda.Alias;

  constructor(scope: App, id: string, { cluster, directory, appVersion, deployId }: AppStackProps) {
    super(scope, id, { description: 'Forerun demo: an app that goes live after its migrations.' });
    this.migrations = new Migrations(this, 'Migrations', {
      cluster,
      directory,
      ...(deployId === undefined ? {} : { deployId }),
    });
    this.live = this.app(cluster, appVersion).addAlias('live');
    this.migrations.runBefore(this.live);
    acknowledgeFindings(this.migrations);
  }

  private app(cluster: rds.DatabaseCluster, appVersion: string): lambda.Function {
    const role = new iam.Role(this, 'AppRole', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
    });
    const logGroup = new logs.LogGroup(this, 'AppLogs', { retention: logs.RetentionDays.ONE_MONTH });
    logGroup.grantWrite(role);
    cluster.grantDataApiAccess(role);
    const app = new lambda.Function(this, 'App', {
      description: 'Forerun demo: lists the published articles.',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(fileURLToPath(new URL('app-function', import.meta.url))),
      timeout: Duration.seconds(29),
      memorySize: 256,
      environment: {
        APP_VERSION: appVersion,
        CLUSTER_ARN: cluster.clusterArn,
        DATABASE,
        SECRET_ARN: cluster.secret?.secretArn ?? '',
      },
      role,
      logGroup,
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
    });
    Validations.of(app).acknowledge(
      { id: 'Serverless-LambdaDLQ', reason: 'It is asked and answers; no event is queued for it.' },
      { id: 'Serverless-LambdaTracing', reason: 'A demo of migrations: its log is enough.' },
    );
    return app;
  }
}
