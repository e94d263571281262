import type { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { dependencyGraph, resourcesIn } from './dependency-graph.ts';
import { goesLive } from './goes-live.ts';
import { callersOf, codeBehind } from './unqualified-use.ts';

/**
 * Everything in a scope that makes code live and may wait: not what these migrations need themselves, nor any migrations. Of a
 * function that is only called through aliases, the aliases stand for it.
 */
export function allThatMayWait(
  scope: IConstruct,
  gatekeeper: CfnResource,
  migrations: readonly IConstruct[],
): readonly CfnResource[] {
  const graph = dependencyGraph(scope.node.root);
  const all = resourcesIn(scope.node.root);
  const live = resourcesIn(scope).filter(
    (one) =>
      goesLive(one) &&
      // A version is code in store; what uses it is held instead.
      one.cfnResourceType !== 'AWS::Lambda::Version' &&
      !migrations.some((each) => one.node.scopes.includes(each)) &&
      graph.way(gatekeeper, one) === null,
  );
  const behindAliases = new Set(
    live
      .filter(({ cfnResourceType }) => cfnResourceType === 'AWS::Lambda::Alias')
      .map((alias) => codeBehind(alias, graph))
      .filter((code) => code !== undefined && callersOf(code, all, graph).length === 0),
  );
  return live.filter((one) => !behindAliases.has(one));
}
