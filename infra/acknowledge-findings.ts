import { type CfnResource, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Migrations } from './migrations.ts';
import { WORKER_OWN_GRANTS } from './worker-function.ts';

/**
 * Acknowledges what cdk-nag's packs AwsSolutions and Serverless find about the functions of `Migrations`, each with its reason.
 * Nothing is acknowledged behind your back: call it when you have read the reasons.
 *
 * @example
 * acknowledgeFindings(migrations);
 */
export function acknowledgeFindings({ gate, runner, worker, node }: Migrations): void {
  acknowledge(gate.role, {
    id: anyVersionOf(runner),
    reason:
      'The gate invokes published versions of the one runner. In a rollback its policy is restored before it is asked for the version of the older release, so no list of versions would do; the colon keeps the unpublished code out.',
  });
  acknowledge(runner, {
    id: 'Serverless-LambdaDLQ',
    reason: 'Invoked synchronously only: whoever invokes it gets the error, and no event is ever queued.',
  });
  acknowledge(
    gate,
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
  for (const one of [gate, runner, worker]) {
    acknowledge(one, {
      id: 'Serverless-LambdaTracing',
      reason:
        'X-Ray takes traces on any resource only, the widest grant of all. Each run has its own log lines, metrics and a row in the journal.',
    });
  }
  if (worker === undefined) return;
  for (const one of [gate.role, runner.role, node.tryFindChild(WORKER_OWN_GRANTS)]) {
    acknowledge(one, {
      id: anyVersionOf(worker),
      reason:
        'An execution belongs to a version, and its ARN begins with the one of that version; an older version may still be at work, so no list of versions would do.',
    });
  }
  acknowledge(worker, {
    id: 'Serverless-LambdaDLQ',
    reason:
      'A start that Lambda cannot take is seen by whoever starts it, an execution that fails by the action "backfills"; the journal has all that a next one needs.',
  });
}

interface Finding {
  readonly id: string;
  readonly reason: string;
}

function acknowledge(scope: IConstruct | undefined, ...findings: readonly Finding[]): void {
  if (scope !== undefined) Validations.of(scope).acknowledge(...findings);
}

function anyVersionOf(fn: IConstruct): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return `AwsSolutions-IAM5[Resource::<${Stack.of(fn).getLogicalId(fn.node.defaultChild as CfnResource)}.Arn>:*]`;
}
