import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Migrations } from '../../../infra/index.ts';
import { database, liveAlias, MIGRATIONS } from '../parts.ts';

// The runner's role is written by hand, as in companies that allow no other; `-c lacks=<action>` forgets a grant.
const app = new App();
const stack = new Stack(app, 'Shop', { env: { account: '210987654321', region: 'eu-west-1' } });
const cluster = database(stack);
const lacks: unknown = app.node.tryGetContext('lacks');
const grants: readonly [resource: string, actions: readonly string[]][] = [
  [
    cluster.clusterArn,
    [
      'ExecuteStatement',
      'BatchExecuteStatement',
      'BeginTransaction',
      'CommitTransaction',
      'RollbackTransaction',
    ].map((name) => `rds-data:${name}`),
  ],
  [secretArnOf(cluster.secret), ['secretsmanager:GetSecretValue']],
  ['*', ['logs:CreateLogStream', 'logs:PutLogEvents']],
];
const role = new iam.Role(stack, 'RunnerRole', {
  assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
  inlinePolicies: {
    Database: new iam.PolicyDocument({
      statements: grants
        .map(([resource, actions]) => ({
          resources: [resource],
          actions: actions.filter((action) => action !== lacks),
        }))
        .filter(({ actions }) => actions.length > 0)
        .map((statement) => new iam.PolicyStatement(statement)),
    }),
  },
});
const migrations = new Migrations(stack, 'Migrations', {
  cluster,
  directory: MIGRATIONS,
  deployId: 'one',
  role: role.withoutPolicyUpdates(),
});
migrations.runBefore(liveAlias(stack, 'one'));

function secretArnOf(secret: ISecret | undefined): string {
  return secret?.secretArn ?? '';
}
