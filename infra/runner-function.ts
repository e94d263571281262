import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { SECONDS, WORKER_ENVIRONMENT } from '../lambda/contract.ts';
import { migratingFunction, type MigratingFunctionProps } from './migrating-function.ts';

/** The function with the migrations, which starts the worker where there is one. */
export function runnerFunction(
  scope: Construct,
  props: MigratingFunctionProps,
  worker: lambda.Function | undefined,
): lambda.Function {
  return migratingFunction(scope, 'Runner', props, {
    description: 'Forerun: applies migrations to the database before a new version goes live.',
    timeoutSeconds: SECONDS.runner,
    environment: worker === undefined ? {} : { [WORKER_ENVIRONMENT]: worker.currentVersion.functionArn },
    statements:
      worker === undefined
        ? []
        : [
            new iam.PolicyStatement({
              // Starts it once by name, and sees whether it is under way.
              actions: ['lambda:GetDurableExecution', 'lambda:InvokeFunction'],
              resources: [`${worker.functionArn}:*`],
            }),
          ],
  });
}
