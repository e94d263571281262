import { fileURLToPath } from 'node:url';
import { RemovalPolicy } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as rds from 'aws-cdk-lib/aws-rds';
import type { Construct } from 'constructs';

/** Where the migrations of these apps lie. */
export const MIGRATIONS = fileURLToPath(new URL('migrations', import.meta.url));

export function network(scope: Construct): ec2.IVpc {
  return new ec2.Vpc(scope, 'Network', { maxAzs: 2, natGateways: 0 }) as ec2.IVpc;
}

export function database(scope: Construct, vpc = network(scope)): rds.DatabaseCluster {
  return new rds.DatabaseCluster(scope, 'Database', {
    engine: rds.DatabaseClusterEngine.auroraPostgres({ version: rds.AuroraPostgresEngineVersion.VER_17_7 }),
    vpc,
    vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
    writer: rds.ClusterInstance.serverlessV2('Writer'),
    defaultDatabaseName: 'app',
    enableDataApi: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
}

/** A function behind an alias; a new release makes a new version of it. */
export function liveAlias(scope: Construct, release: string): lambda.Alias {
  const app = new lambda.Function(scope, 'App', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => 1;'),
    environment: { RELEASE: release },
    currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE },
  });
  return app.addAlias('live');
}
