import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { SECONDS } from '../lambda/contract.ts';
import { functionWithOwnRole, type FunctionOptions } from './function-with-own-role.ts';

export interface GateFunctionProps extends FunctionOptions {
  readonly code: string;
  readonly runner: lambda.IFunction;
  /** Where something may outlast the runner. */
  readonly worker: lambda.IFunction | undefined;
  readonly role: iam.IRole | undefined;
}

/** The function that CloudFormation calls. It runs no code of the user's, so it always lives to answer. */
export function gateFunction(
  scope: Construct,
  { runner, worker, ...options }: GateFunctionProps,
): lambda.Function {
  const gate = functionWithOwnRole(scope, 'Gate', {
    ...options,
    description: 'Forerun: holds a deploy until the migrations are applied.',
    timeoutSeconds: SECONDS.gate,
    memorySize: 256,
    statements: [
      // Any version: a rollback restores this policy before it asks for the older one. Never the unpublished code.
      new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [`${runner.functionArn}:*`] }),
      // Tells a rollback from an older release deployed on purpose; nothing in the request does.
      new iam.PolicyStatement({
        actions: ['cloudformation:DescribeStacks'],
        resources: [Stack.of(scope).stackId],
      }),
      ...(worker === undefined ? [] : statementsOn(worker)),
    ],
    logGroup: undefined,
  });
  // By default Lambda holds a throttled event back for six hours: long after CloudFormation gave the deploy up.
  gate.configureAsyncInvoke({ maxEventAge: Duration.seconds(SECONDS.maximumEventAge), retryAttempts: 1 });
  return gate;
}

/** Starts the worker and looks after it; stops it when its version is about to be deleted. */
function statementsOn({ functionArn }: lambda.IFunction): readonly iam.PolicyStatement[] {
  return [
    new iam.PolicyStatement({
      actions: ['lambda:GetDurableExecution', 'lambda:InvokeFunction', 'lambda:StopDurableExecution'],
      resources: [`${functionArn}:*`],
    }),
    new iam.PolicyStatement({
      actions: ['lambda:ListDurableExecutionsByFunction'],
      resources: [functionArn, `${functionArn}:*`],
    }),
  ];
}

/** Lets a gate hand on to itself; in the policy of its role, which it waits for, the grant would close a circle. */
export function handingOn(scope: Construct, gate: lambda.Function): iam.Policy {
  return new iam.Policy(scope, 'GateOwnGrants', {
    statements: [
      new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [gate.functionArn] }),
    ],
    ...(gate.role === undefined ? {} : { roles: [gate.role] }),
  });
}
