import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { SECONDS } from '../lambda/contract.ts';
import { migratingFunction, type MigratingFunctionProps } from './migrating-function.ts';

/** How long one execution may take in all. */
const EXECUTION_DAYS = 30;
/** How long Lambda tells of an execution that has ended. */
const RETENTION_DAYS = 14;

/** Id of the policy with which the worker keeps its own records. */
export const WORKER_OWN_GRANTS = 'WorkerOwnGrants';

export interface Worker {
  readonly fn: lambda.Function;
  /** What the worker may do with itself. The first execution needs it. */
  readonly ownGrants: iam.Policy;
}

/**
 * The function that goes on where a call of the runner ends: a durable function, which AWS calls again and again until its work is
 * done. Durability can only be given at creation, so it is a function of its own.
 */
export function workerFunction(scope: Construct, props: MigratingFunctionProps): Worker {
  const fn = migratingFunction(scope, 'Worker', props, {
    description: 'Forerun: goes on with migrations and backfills that outlast a call of the runner.',
    timeoutSeconds: SECONDS.worker,
    durableConfig: {
      executionTimeout: Duration.days(EXECUTION_DAYS),
      retentionPeriod: Duration.days(RETENTION_DAYS),
    },
    environment: {},
    statements: [],
  });
  // A function waits for the policy of its role: a grant on the function itself, in that policy, would close a circle.
  const ownGrants = new iam.Policy(scope, WORKER_OWN_GRANTS, {
    statements: [
      new iam.PolicyStatement({
        actions: [
          'lambda:CheckpointDurableExecution',
          'lambda:GetDurableExecutionState',
          // A very long backfill goes on in another execution.
          'lambda:InvokeFunction',
        ],
        resources: [`${fn.functionArn}:*`],
      }),
    ],
    ...(fn.role === undefined ? {} : { roles: [fn.role] }),
  });
  return { fn, ownGrants };
}
