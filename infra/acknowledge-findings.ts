import { type CfnResource, Stack, Validations } from 'aws-cdk-lib';
import type { Migrations } from './migrations.ts';

/**
 * Acknowledges what cdk-nag's packs AwsSolutions and Serverless find about the functions of `Migrations`, each with its reason.
 * Nothing is acknowledged behind your back: call it when you have read the reasons.
 *
 * @example
 * acknowledgeFindings(migrations);
 */
export function acknowledgeFindings({ gate, runner }: Migrations): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const runnerId = Stack.of(runner).getLogicalId(runner.node.defaultChild as CfnResource);
  if (gate.role !== undefined) {
    Validations.of(gate.role).acknowledge({
      id: `AwsSolutions-IAM5[Resource::<${runnerId}.Arn>:*]`,
      reason:
        'The gate invokes published versions of the one runner. In a rollback its policy is restored before it is asked for the version of the older release, so no list of versions would do; the colon keeps the unpublished code out.',
    });
  }
  Validations.of(runner).acknowledge({
    id: 'Serverless-LambdaDLQ',
    reason: 'Invoked synchronously only: whoever invokes it gets the error, and no event is ever queued.',
  });
  Validations.of(gate).acknowledge(
    {
      id: 'Serverless-LambdaDLQ',
      reason:
        'An event that the gate cannot take fails the deploy after the service timeout of the custom resource. A queue would keep the ResponseURL, with which whoever reads it answers in our name.',
    },
    {
      id: 'Serverless-LambdaAsyncFailureDestination',
      reason: 'As for the dead letter queue: a destination would receive the ResponseURL.',
    },
  );
  for (const one of [gate, runner]) {
    Validations.of(one).acknowledge({
      id: 'Serverless-LambdaTracing',
      reason:
        'X-Ray takes traces on any resource only, the widest grant of all. Each run has its own log lines, metrics and a row in the journal.',
    });
  }
}
