import { type App, Stack, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as rds from 'aws-cdk-lib/aws-rds';

/** Name of the cluster's default database, and the one that the demo migrates. */
export const DATABASE = 'app';

/**
 * The database in a stack of its own: it deploys first, and a first migration that fails rolls back the app alone
 * instead of a cluster that took ten minutes to make and refuses to be deleted.
 */
export class DatabaseStack extends Stack {
  readonly cluster: rds.DatabaseCluster;

  constructor(scope: App, id: string) {
    super(scope, id, { description: 'Forerun demo: Aurora PostgreSQL that sleeps when nobody asks.' });
    // Nothing but the Data API reaches the database, so the network needs no way in or out.
    const vpc = new ec2.Vpc(this, 'Network', {
      maxAzs: 2,
      natGateways: 0,
      subnetConfiguration: [{ name: 'Database', subnetType: ec2.SubnetType.PRIVATE_ISOLATED }],
      // The default security group stays unused; emptying it would take one more function with rights on EC2.
      restrictDefaultSecurityGroup: false,
    });
    Validations.of(vpc).acknowledge({
      id: 'AwsSolutions-VPC7',
      reason: 'No gateway, no endpoint, no peering: there is no flow that a log could show.',
    });
    this.cluster = new rds.DatabaseCluster(this, 'Database', {
      engine: rds.DatabaseClusterEngine.auroraPostgres({
        version: rds.AuroraPostgresEngineVersion.VER_17_7,
      }),
      // CDK's own types do not hold under TypeScript's `exactOptionalPropertyTypes`.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      vpc: vpc as ec2.IVpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      writer: rds.ClusterInstance.serverlessV2('Writer'),
      serverlessV2MinCapacity: 0,
      serverlessV2MaxCapacity: 2,
      defaultDatabaseName: DATABASE,
      enableDataApi: true,
      // RDS makes the master password, keeps it in Secrets Manager and rotates it; `secret` is then that secret.
      manageMasterUserPassword: true,
      iamAuthentication: true,
      storageEncrypted: true,
      deletionProtection: true,
    });
  }
}
