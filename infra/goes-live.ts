import { CfnResource, Stack } from 'aws-cdk-lib';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import type { IConstruct } from 'constructs';

/**
 * Resources whose change is the moment new code goes live. Holding one of these alone lets CloudFormation publish
 * code, versions and task definitions meanwhile, and draws no role or security group into the waiting.
 */
const GOES_LIVE: ReadonlySet<string> = new Set([
  'AWS::AppRunner::Service',
  'AWS::AppSync::FunctionConfiguration',
  'AWS::AppSync::Resolver',
  'AWS::AutoScaling::AutoScalingGroup',
  'AWS::Batch::JobDefinition',
  'AWS::CloudFront::Function',
  'AWS::EC2::Instance',
  'AWS::ECS::Service',
  'AWS::ECS::TaskSet',
  'AWS::Lambda::Alias',
  'AWS::Lambda::Function',
  'AWS::Lambda::Version',
  // A schedule names the revision of the task, the state machine or the version that it starts.
  'AWS::Scheduler::Schedule',
  'AWS::StepFunctions::StateMachine',
  'AWS::StepFunctions::StateMachineAlias',
]);

/** Whether a change of this resource by itself puts new code to use. */
export function goesLive(one: IConstruct | undefined): one is CfnResource {
  if (one === undefined || !CfnResource.isCfnResource(one)) return false;
  return GOES_LIVE.has(one.cfnResourceType) || startsTasks(one);
}

/** A rule starts the revision of an ECS task that it names; whatever else it calls goes live by itself. */
function startsTasks(one: CfnResource): boolean {
  if (!(one instanceof CfnRule)) return false;
  const targets: unknown = Stack.of(one).resolve(one.targets);
  return (
    Array.isArray(targets) &&
    targets.some(
      (target: unknown) => typeof target === 'object' && target !== null && 'ecsParameters' in target,
    )
  );
}
