import { App, CustomResource, NestedStack, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Migrations } from '../../../infra/index.ts';
import { database, liveAlias, MIGRATIONS } from '../parts.ts';

const app = new App();
const stack = new Stack(app, 'Shop');
const cluster = database(stack);
const inner = new NestedStack(stack, 'Backend');
const migrations = new Migrations(inner, 'Migrations', {
  cluster,
  directory: MIGRATIONS,
  deployId: 'one',
  onRollback: 'revert',
});
migrations.runBefore(liveAlias(inner, 'one'));
// The function of this one would never answer here.
new CustomResource(stack, 'Seen', {
  resourceType: 'Custom::Seen',
  serviceToken: new lambda.Function(stack, 'Watcher', {
    runtime: lambda.Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: lambda.Code.fromInline('exports.handler = async () => 1;'),
  }).functionArn,
});
