import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { SECONDS } from '../lambda/contract.ts';
import { functionWithOwnRole, type FunctionOptions } from './function-with-own-role.ts';

export interface GateFunctionProps extends FunctionOptions {
  readonly code: string;
  readonly runner: lambda.IFunction;
  readonly role: iam.IRole | undefined;
}

/** The function that CloudFormation calls. It runs no code of the user's, so it always lives to answer. */
export function gateFunction(scope: Construct, { runner, ...options }: GateFunctionProps): lambda.Function {
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
    ],
    logGroup: undefined,
  });
  // By default Lambda holds a throttled event back for six hours: long after CloudFormation gave the deploy up.
  gate.configureAsyncInvoke({ maxEventAge: Duration.seconds(SECONDS.maximumEventAge), retryAttempts: 1 });
  return gate;
}
