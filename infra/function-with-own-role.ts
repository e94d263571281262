import { Annotations, Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { logGroupOf } from './log-group.ts';

/** What a user may say about all functions. */
export interface FunctionOptions {
  readonly architecture: lambda.Architecture;
  readonly logRetention: logs.RetentionDays;
  readonly encryptionKey: kms.IKey | undefined;
}

/** What all functions have in common. */
export interface OwnFunctionProps extends FunctionOptions {
  readonly description: string;
  /** Folder with `index.mjs`. */
  readonly code: string;
  readonly timeoutSeconds: number;
  /** In MiB. */
  readonly memorySize: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** All that the function may do, besides writing its log. */
  readonly statements: readonly iam.PolicyStatement[];
  readonly role: iam.IRole | undefined;
  readonly logGroup: logs.ILogGroup | undefined;
  readonly versionRemovalPolicy?: RemovalPolicy | undefined;
  /** Only for a function that is created with it. */
  readonly durableConfig?: lambda.DurableConfig;
}

/**
 * A function on a role of its own with hand-written statements: no managed policy, and the only log group it may
 * write is its own.
 */
export function functionWithOwnRole(scope: Construct, id: string, props: OwnFunctionProps): lambda.Function {
  const role =
    props.role ??
    new iam.Role(scope, `${id}Role`, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
  const logGroup = props.logGroup ?? logGroupOf(scope, `${id}Logs`, props);
  logGroup.grantWrite(role);
  const refused = props.statements.filter((one) => !role.addToPrincipalPolicy(one).statementAdded);
  if (refused.length > 0) {
    const wanted = JSON.stringify(refused.map((one) => one.toStatementJson()));
    Annotations.of(scope).addWarningV2(
      `forerun:${id}-role-not-changed`,
      `the role of the ${id.toLowerCase()} takes no statements from here; it has to grant ${wanted} by itself`,
    );
  }
  return new lambda.Function(scope, id, {
    description: props.description,
    runtime: lambda.Runtime.NODEJS_24_X,
    architecture: props.architecture,
    handler: 'index.handler',
    code: lambda.Code.fromAsset(props.code),
    timeout: Duration.seconds(props.timeoutSeconds),
    memorySize: props.memorySize,
    ...(props.durableConfig === undefined ? {} : { durableConfig: props.durableConfig }),
    environment: { ...props.environment },
    ...(props.environment === undefined || props.encryptionKey === undefined
      ? {}
      : { environmentEncryption: props.encryptionKey }),
    role,
    logGroup,
    // The version of a failed deploy is still there while the stack rolls back, and goes when the deploy is cleaned up.
    currentVersionOptions: {
      removalPolicy: props.versionRemovalPolicy ?? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    },
  });
}
