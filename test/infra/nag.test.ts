import { type App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { expect, test } from 'vitest';
import { buildDemoApp } from '../../infra/demo/build-demo-app.ts';
import { acknowledgeFindings, Migrations } from '../../infra/index.ts';
import { findings } from './findings.ts';
import { folderOf, sameFolderOf } from './folder.ts';
import { newApp, newCluster, newStack, ONE } from './stack.ts';

/** What both packs say of the construct's own resources, and nothing else: each has its reason in `acknowledgeFindings`. */
const KNOWN = [
  'AwsSolutions-IAM5[Resource::<MigrationsRunnerBEC0DDA9.Arn>:*] Migrations/GateRole/DefaultPolicy/Resource',
  'Serverless-LambdaAsyncFailureDestination Migrations/Gate/EventInvokeConfig/Resource',
  'Serverless-LambdaDLQ Migrations/Gate/Resource',
  'Serverless-LambdaDLQ Migrations/Runner/Resource',
  'Serverless-LambdaTracing Migrations/Gate/Resource',
  'Serverless-LambdaTracing Migrations/Runner/Resource',
];

test('the demo has no finding of AwsSolutions and Serverless without a reason', () => {
  const outdir = folderOf();
  const app = buildDemoApp({ outdir, deployId: 'a' });
  expect(findings(app, outdir)).toEqual([]);
});

test('nobody acknowledges a finding for users, and there is none beside the known ones', () => {
  const { stack } = newStack();
  const app = stack.node.root as App;
  const own = findings(app).filter((finding) => finding.includes(' Migrations/'));
  expect(own).toEqual(KNOWN);
});

test('users acknowledge them all with one call, also where the gate has a role of their own', () => {
  const stack = new Stack(newApp(), 'App');
  const gateRole = new iam.Role(stack, 'Own', {
    assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
  });
  const cluster = newCluster(stack);
  const migrations = new Migrations(stack, 'Migrations', { cluster, gateRole, directory: sameFolderOf(ONE) });
  acknowledgeFindings(migrations);
  const app = stack.node.root as App;
  expect(findings(app).filter((finding) => / (?:Migrations|Own)\//.test(finding))).toEqual([]);
});
