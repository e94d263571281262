import { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { misused } from './misused.ts';

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

/** Lets the target wait for `gatekeeper`: by its smallest resource that makes code live, else with all it consists of. */
export function hold(target: IConstruct, gatekeeper: IConstruct): void {
  if (!target.node.findAll().some((one) => CfnResource.isCfnResource(one))) {
    throw misused(
      gatekeeper,
      `'${target.node.path}' cannot wait for the migrations, because no stack of this app deploys it.`,
      `Let 'runBefore' name what this app deploys; something imported goes live whenever its own stack says so.`,
    );
  }
  const own = target.node.defaultChild;
  const goesLive = own !== undefined && CfnResource.isCfnResource(own) && GOES_LIVE.has(own.cfnResourceType);
  // Resolved at synth, so holding a whole construct reaches what is added to it later.
  (goesLive ? own : target).node.addDependency(gatekeeper);
}

/**
 * Refuses to hold what the migrations cannot do without. CloudFormation would find the circle only in the middle of a
 * deploy: at synth it is no more than a warning, unless `@aws-cdk/core:validateAgainstDefaultRules` is set.
 */
export function refuseOwnNeeds(
  migrations: IConstruct,
  target: IConstruct,
  needs: readonly IConstruct[],
): void {
  const needed = needs.find((one) => one.node.scopes.includes(target) || target.node.scopes.includes(one));
  if (needed === undefined) return;
  throw misused(
    migrations,
    `'${target.node.path}' cannot wait for the migrations, because they need '${needed.node.path}'.`,
    `Let 'runBefore' name what serves your users: an alias, a function, a service.`,
  );
}
