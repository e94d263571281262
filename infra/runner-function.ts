import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { RUNNER_ENVIRONMENT, SECONDS } from '../lambda/contract.ts';
import { functionWithOwnRole } from './function-with-own-role.ts';
import type { TargetDatabase } from './target-database.ts';

/** The five actions of the Data API; each is granted on one cluster. */
const DATA_API_ACTIONS = [
  'rds-data:BatchExecuteStatement',
  'rds-data:BeginTransaction',
  'rds-data:CommitTransaction',
  'rds-data:ExecuteStatement',
  'rds-data:RollbackTransaction',
];

export interface RunnerFunctionProps {
  readonly code: string;
  readonly target: TargetDatabase;
  readonly history: string;
  readonly memorySize: number;
  readonly architecture: lambda.Architecture;
  readonly role: iam.IRole | undefined;
  readonly logGroup: logs.ILogGroup | undefined;
}

/** The function with the migrations. Its environment is the target of an invoke by hand; a deploy brings its own. */
export function runnerFunction(scope: Construct, props: RunnerFunctionProps): lambda.Function {
  const { target } = props;
  return functionWithOwnRole(scope, 'Runner', {
    description: 'Forerun: applies migrations to the database before a new version goes live.',
    code: props.code,
    timeoutSeconds: SECONDS.runner,
    memorySize: props.memorySize,
    architecture: props.architecture,
    environment: {
      [RUNNER_ENVIRONMENT.clusterArn]: target.clusterArn,
      [RUNNER_ENVIRONMENT.secretArn]: target.secretArn,
      [RUNNER_ENVIRONMENT.database]: target.database,
      [RUNNER_ENVIRONMENT.history]: props.history,
    },
    statements: statementsFor(scope, target),
    role: props.role,
    logGroup: props.logGroup,
  });
}

/**
 * The Data API reads the secret with the rights of its caller, so the runner needs both.
 * Source: Amazon Aurora User Guide, "Authorizing access to the Amazon RDS Data API".
 */
function statementsFor(
  scope: Construct,
  { clusterArn, secret }: TargetDatabase,
): readonly iam.PolicyStatement[] {
  const statements = [
    new iam.PolicyStatement({ actions: DATA_API_ACTIONS, resources: [clusterArn] }),
    new iam.PolicyStatement({
      actions: ['secretsmanager:GetSecretValue'],
      // Secrets Manager ends every ARN with six random characters; a secret imported by name does not know them.
      resources: [secret.secretFullArn ?? `${secret.secretArn}-??????`],
    }),
  ];
  if (secret.encryptionKey === undefined) return statements;
  return [
    ...statements,
    new iam.PolicyStatement({
      actions: ['kms:Decrypt'],
      resources: [secret.encryptionKey.keyArn],
      conditions: {
        StringEquals: { 'kms:ViaService': `secretsmanager.${Stack.of(scope).region}.amazonaws.com` },
      },
    }),
  ];
}
