import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import type { Construct, IConstruct } from 'constructs';
import {
  AFTER_RESOURCE_TYPE,
  serviceTimeoutFor,
  type MigrationsProperties,
  type OnAfterFailure,
} from '../lambda/contract.ts';
import { logicalIdOf } from './cfn-of.ts';
import { partThatWaits } from './hold.ts';

export interface AfterResourceProps {
  /** Of the resource that runs what comes before the app. */
  readonly properties: MigrationsProperties;
  readonly serviceToken: string;
  readonly onAfterFailure: OnAfterFailure | undefined;
  /** The resource that runs what comes before the app. */
  readonly before: CustomResource;
}

/** A resource that runs the migrations of phase `after` through the same gate and runner. What it waits for is told it later. */
export function afterResource(scope: Construct, props: AfterResourceProps): CustomResource {
  const properties: MigrationsProperties = {
    ...props.properties,
    Phase: 'after',
    RunsAs: logicalIdOf(props.before),
    ...(props.onAfterFailure === undefined ? {} : { OnAfterFailure: props.onAfterFailure }),
  };
  const resource = new CustomResource(scope, 'After', {
    resourceType: AFTER_RESOURCE_TYPE,
    serviceToken: props.serviceToken,
    serviceTimeout: Duration.seconds(serviceTimeoutFor(Number(properties.Timeout ?? 0))),
    properties,
  });
  resource.node.addDependency(props.before);
  return resource;
}

/**
 * Lets it wait for what `runBefore` holds. What is deployed by another stack cannot be waited for: that stack waits for this one.
 */
export function waitForLive(resource: CustomResource, target: IConstruct): void {
  if (canWaitFor(resource, target)) resource.node.addDependency(partThatWaits(target));
}

/** Whether the stack of a resource also deploys the target, itself or in a nested stack. */
export function canWaitFor(resource: IConstruct, target: IConstruct): boolean {
  return isWithin(Stack.of(resource), Stack.of(target));
}

function isWithin(outer: Stack, stack: Stack): boolean {
  return (
    stack === outer || (stack.nestedStackParent !== undefined && isWithin(outer, stack.nestedStackParent))
  );
}
