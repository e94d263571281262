import { type RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import {
  EVENT_BUS_VARIABLE,
  RUNNER_ENVIRONMENT,
  SECONDS,
  SURROUNDINGS_ENVIRONMENT,
} from '../lambda/contract.ts';
import { functionWithOwnRole, type FunctionOptions } from './function-with-own-role.ts';
import type { Surroundings } from './surroundings.ts';
import type { TargetDatabase } from './target-database.ts';

/** The five actions of the Data API; each is granted on one cluster. */
const DATA_API_ACTIONS = [
  'rds-data:BatchExecuteStatement',
  'rds-data:BeginTransaction',
  'rds-data:CommitTransaction',
  'rds-data:ExecuteStatement',
  'rds-data:RollbackTransaction',
];

export interface RunnerFunctionProps extends FunctionOptions {
  readonly code: string;
  readonly target: TargetDatabase;
  readonly history: string;
  readonly surroundings: Surroundings;
  /** Secrets that migrations read themselves. */
  readonly secrets: readonly secretsmanager.ISecret[];
  readonly eventBus: events.IEventBus | undefined;
  readonly memorySize: number;
  readonly role: iam.IRole | undefined;
  readonly logGroup: logs.ILogGroup | undefined;
  readonly versionRemovalPolicy: RemovalPolicy | undefined;
}

/** The function with the migrations. Its environment is the target of an invoke by hand; a deploy brings its own. */
export function runnerFunction(
  scope: Construct,
  { target, history, surroundings, secrets, eventBus, ...options }: RunnerFunctionProps,
): lambda.Function {
  return functionWithOwnRole(scope, 'Runner', {
    ...options,
    description: 'Forerun: applies migrations to the database before a new version goes live.',
    timeoutSeconds: SECONDS.runner,
    environment: {
      [RUNNER_ENVIRONMENT.clusterArn]: target.clusterArn,
      [RUNNER_ENVIRONMENT.secretArn]: target.secretArn,
      [RUNNER_ENVIRONMENT.database]: target.database,
      [RUNNER_ENVIRONMENT.history]: history,
      ...(surroundings.environment === undefined
        ? {}
        : { [SURROUNDINGS_ENVIRONMENT.environment]: surroundings.environment }),
      ...(surroundings.params === undefined
        ? {}
        : { [SURROUNDINGS_ENVIRONMENT.params]: surroundings.params }),
      ...(eventBus === undefined ? {} : { [EVENT_BUS_VARIABLE]: eventBus.eventBusArn }),
    },
    statements: [
      new iam.PolicyStatement({ actions: DATA_API_ACTIONS, resources: [target.clusterArn] }),
      // The Data API reads the secret with the rights of its caller, so the runner needs both.
      // Source: Amazon Aurora User Guide, "Authorizing access to the Amazon RDS Data API".
      ...[target.secret, ...secrets].flatMap((secret) => statementsFor(scope, secret)),
      ...(eventBus === undefined
        ? []
        : [new iam.PolicyStatement({ actions: ['events:PutEvents'], resources: [eventBus.eventBusArn] })]),
    ],
  });
}

function statementsFor(
  scope: Construct,
  { secretArn, secretFullArn, encryptionKey }: secretsmanager.ISecret,
): readonly iam.PolicyStatement[] {
  const reading = new iam.PolicyStatement({
    actions: ['secretsmanager:GetSecretValue'],
    // Secrets Manager ends every ARN with six random characters; a secret imported by name does not know them.
    resources: [secretFullArn ?? `${secretArn}-??????`],
  });
  if (encryptionKey === undefined) return [reading];
  const decrypting = new iam.PolicyStatement({
    actions: ['kms:Decrypt'],
    resources: [encryptionKey.keyArn],
    conditions: {
      StringEquals: { 'kms:ViaService': `secretsmanager.${Stack.of(scope).region}.amazonaws.com` },
    },
  });
  return [reading, decrypting];
}
