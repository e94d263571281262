import { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Resources whose change is the moment new code goes live. Holding one of these alone lets CloudFormation publish
 * code, versions and task definitions meanwhile, and draws no role or security group into the waiting.
 */
const GOES_LIVE: ReadonlySet<string> = new Set([
  'AWS::AppRunner::Service',
  'AWS::ECS::Service',
  'AWS::Lambda::Alias',
  'AWS::Lambda::Function',
  'AWS::Lambda::Version',
  'AWS::StepFunctions::StateMachine',
  'AWS::StepFunctions::StateMachineAlias',
]);

/** Whether a change of this resource by itself puts new code to use. */
export function goesLive(one: IConstruct | undefined): one is CfnResource {
  return one !== undefined && CfnResource.isCfnResource(one) && GOES_LIVE.has(one.cfnResourceType);
}
