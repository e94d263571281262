import { App, CfnParameter, Fn, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import * as sns from 'aws-cdk-lib/aws-sns';
import { Migrations } from '../../../infra/index.ts';
import { liveAlias, MIGRATIONS } from '../parts.ts';

const stack = new Stack(new App(), 'Shop', { env: { account: '210987654321', region: 'us-east-1' } });
const secret = secretsmanager.Secret.fromSecretNameV2(stack, 'Secret', 'shop/database');
const cluster = rds.DatabaseCluster.fromDatabaseClusterAttributes(stack, 'Database', {
  clusterIdentifier: Fn.importValue('platform-cluster'),
  dataApiEnabled: true,
  secret,
});
const migrations = new Migrations(stack, 'Migrations', {
  cluster,
  database: 'shop',
  directory: MIGRATIONS,
  deployId: 'one',
  role: iam.Role.fromRoleArn(stack, 'Role', 'arn:aws:iam::210987654321:role/platform-runner', {
    mutable: false,
  }),
});
migrations.runBefore(liveAlias(stack, 'one'));
new sns.Topic(stack, 'News', { displayName: new CfnParameter(stack, 'Title').valueAsString });
