import { type CfnResource, type CustomResource, Stack } from 'aws-cdk-lib';

/** A custom resource as it stands in the template. */
export function cfnOf(resource: CustomResource): CfnResource {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return resource.node.defaultChild as CfnResource;
}

/** As text: a reference would make whoever says it wait for the resource. */
export const logicalIdOf = (resource: CustomResource): string =>
  Stack.of(resource).getLogicalId(cfnOf(resource));
