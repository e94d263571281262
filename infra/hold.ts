import { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Resources whose change is the moment new code goes live. Holding one of these alone lets CloudFormation publish
 * code, versions and task definitions meanwhile, and draws no role or security group into the waiting.
 */
const GOES_LIVE: ReadonlySet<string> = new Set([
  'AWS::Lambda::Alias',
  'AWS::Lambda::Version',
  'AWS::Lambda::Function',
  'AWS::ECS::Service',
]);

/** Lets the target wait for `resource`: by its smallest resource that makes code live, else with all it consists of. */
export function hold(target: IConstruct, resource: CfnResource): void {
  const own = CfnResource.isCfnResource(target) ? target : target.node.defaultChild;
  if (
    own !== undefined &&
    CfnResource.isCfnResource(own) &&
    (own === target || GOES_LIVE.has(own.cfnResourceType))
  ) {
    own.addResourceDependency(resource);
  } else {
    // Resolved at synth, so it reaches what is added to the target later.
    target.node.addDependency(resource);
  }
}
