import { type RemovalPolicy, Stack } from 'aws-cdk-lib';
import type * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { EVENT_BUS_VARIABLE, RUNNER_ENVIRONMENT, SURROUNDINGS_ENVIRONMENT } from '../lambda/contract.ts';
import {
  functionWithOwnRole,
  type FunctionOptions,
  type OwnFunctionProps,
} from './function-with-own-role.ts';
import { paramsVariables, type Surroundings } from './surroundings.ts';
import type { TargetDatabase } from './target-database.ts';

/** The five actions of the Data API; each is granted on one cluster. */
const DATA_API_ACTIONS = [
  'rds-data:BatchExecuteStatement',
  'rds-data:BeginTransaction',
  'rds-data:CommitTransaction',
  'rds-data:ExecuteStatement',
  'rds-data:RollbackTransaction',
];

/** What the runner and the worker have in common: both carry the migrations. */
export interface MigratingFunctionProps extends FunctionOptions {
  readonly code: string;
  readonly target: TargetDatabase;
  readonly history: string;
  readonly surroundings: Surroundings;
  /** Secrets that migrations read themselves. */
  readonly secrets: readonly secretsmanager.ISecret[];
  /** Hears of every run. */
  readonly eventBus: events.IEventBus | undefined;
  readonly memorySize: number;
  readonly role: iam.IRole | undefined;
  readonly logGroup: logs.ILogGroup | undefined;
  readonly versionRemovalPolicy: RemovalPolicy | undefined;
}

/** Its environment is the target of an invoke by hand; a deploy brings its own. */
export function migratingFunction(
  scope: Construct,
  id: string,
  { target, history, surroundings, secrets, eventBus, ...options }: MigratingFunctionProps,
  own: Pick<OwnFunctionProps, 'description' | 'timeoutSeconds' | 'durableConfig'> & {
    readonly environment: Readonly<Record<string, string>>;
    readonly statements: readonly iam.PolicyStatement[];
  },
): lambda.Function {
  return functionWithOwnRole(scope, id, {
    ...options,
    ...own,
    environment: {
      [RUNNER_ENVIRONMENT.clusterArn]: target.clusterArn,
      [RUNNER_ENVIRONMENT.secretArn]: target.secretArn,
      [RUNNER_ENVIRONMENT.database]: target.database,
      [RUNNER_ENVIRONMENT.history]: history,
      ...(surroundings.environment === undefined
        ? {}
        : { [SURROUNDINGS_ENVIRONMENT.environment]: surroundings.environment }),
      ...(surroundings.params === undefined ? {} : paramsVariables(surroundings.params)),
      ...(eventBus === undefined ? {} : { [EVENT_BUS_VARIABLE]: eventBus.eventBusArn }),
      ...own.environment,
    },
    statements: [
      new iam.PolicyStatement({ actions: DATA_API_ACTIONS, resources: [target.clusterArn] }),
      // The Data API reads the secret with the rights of its caller, so the runner needs both.
      // Source: Amazon Aurora User Guide, "Authorizing access to the Amazon RDS Data API".
      ...[target.secret, ...secrets].flatMap((secret) => statementsFor(scope, secret)),
      ...(eventBus === undefined
        ? []
        : [new iam.PolicyStatement({ actions: ['events:PutEvents'], resources: [eventBus.eventBusArn] })]),
      ...own.statements,
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
