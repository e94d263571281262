import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as cr from 'aws-cdk-lib/custom-resources';
import { Migrations } from '../../../infra/index.ts';
import { database, liveAlias, MIGRATIONS } from '../parts.ts';

const app = new App();
const env = { account: '210987654321', region: 'eu-central-1' };
const cluster = database(new Stack(app, 'Data', { env }));

const shop = new Stack(app, 'Shop', { env });
const migrations = new Migrations(shop, 'Migrations', { cluster, directory: MIGRATIONS, deployId: 'one' });
migrations.runBefore(liveAlias(shop, 'one'));
// Code that is no Node.js, a custom resource of the CDK, and one of somebody's own.
new lambda.Function(shop, 'Report', {
  runtime: lambda.Runtime.PYTHON_3_13,
  handler: 'index.handler',
  code: lambda.Code.fromInline('def handler(event, context): pass'),
}).addAlias('live');
const bucket = new s3.Bucket(shop, 'Files');
new cr.AwsCustomResource(shop, 'Look', {
  onUpdate: { service: 'S3', action: 'listBuckets', physicalResourceId: cr.PhysicalResourceId.of('look') },
  policy: cr.AwsCustomResourcePolicy.fromSdkCalls({ resources: ['*'] }),
});
new CfnOutput(shop, 'Bucket', { value: bucket.bucketArn });

// Nothing to do with a database: it stays out of the rehearsal.
new s3.Bucket(new Stack(app, 'Website', { env }), 'Pages');
