import type { Clock } from '../clock.ts';
import type { LocalLambda } from '../lambda/start-lambda.ts';
import type { AnswerServer } from './answer-server.ts';
import type { Hooks } from './hooks.ts';
import type { Policies } from './policies.ts';
import type { ResourceHandler } from './resource-handler.ts';
import { customResourceHandler } from './resources/custom-resource.ts';
import { eventHandlers } from './resources/events.ts';
import { iamHandlers } from './resources/iam.ts';
import { lambdaHandlers } from './resources/lambda.ts';
import { nestedStackHandler, type NestedStackOptions } from './resources/nested-stack.ts';
import { opaqueHandler, type Place } from './resources/opaque.ts';
import { rdsHandlers } from './resources/rds.ts';
import { secretHandlers } from './resources/secrets-manager.ts';

export interface HandlerOptions {
  readonly lambda: LocalLambda;
  readonly hooks: Hooks;
  readonly policies: Policies;
  readonly answers: AnswerServer;
  readonly clock: Clock;
  readonly place: Place;
  readonly nested: NestedStackOptions;
  /** Types of custom resources that count as done, beside those of the CDK. */
  readonly assumed: readonly string[];
}

/** Which handler plays which type; a type that nobody knows is opaque. */
export function resourceHandlers(options: HandlerOptions): (type: string) => ResourceHandler {
  const { lambda, hooks, policies, place } = options;
  const custom = customResourceHandler(options);
  const opaque = opaqueHandler(place);
  const handlers = new Map<string, ResourceHandler>(
    Object.entries({
      ...lambdaHandlers(lambda, options.nested.engine.passOver),
      ...eventHandlers(place),
      ...iamHandlers(policies, place),
      ...rdsHandlers(hooks, place),
      ...secretHandlers(hooks, place),
      'AWS::CloudFormation::CustomResource': custom,
      ...Object.fromEntries([...CDK_OWN_TYPES, ...options.assumed].map((type) => [type, opaque])),
      'AWS::CloudFormation::Stack': nestedStackHandler(options.nested),
    }),
  );
  return (type) => {
    const handler = handlers.get(type) ?? (type.startsWith('Custom::') ? custom : opaque);
    // An attribute that a known type does not fill in is made up like any other.
    return opaque.attribute === undefined ? handler : { attribute: opaque.attribute, ...handler };
  };
}

/**
 * Custom resources of the CDK itself. Their functions call services that are not played here, and answer on port 443
 * whatever the address says; they count as done.
 */
const CDK_OWN_TYPES = [
  'Custom::AWS',
  'Custom::AWSCDKOpenIdConnectProvider',
  'Custom::CDKBucketDeployment',
  'Custom::CloudwatchLogResourcePolicy',
  'Custom::CrossRegionExportReader',
  'Custom::CrossRegionExportWriter',
  'Custom::ECRAutoDeleteImages',
  'Custom::LogRetention',
  'Custom::S3AutoDeleteObjects',
  'Custom::S3BucketNotifications',
  'Custom::VpcRestrictDefaultSG',
] as const;
