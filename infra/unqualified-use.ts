import type { CfnResource } from 'aws-cdk-lib';
import type { DependencyGraph } from './dependency-graph.ts';

/** Resources that name a function without calling it: they publish it, watch it, or say who may call it. */
const NOT_CALLING =
  /^AWS::(?:Lambda::(?:Version|Alias|EventInvokeConfig)|IAM::.*|Logs::.*|CloudWatch::.*|SSM::Parameter)$/;

/** The function behind an alias, where this app deploys it. */
export function codeBehind(alias: CfnResource, graph: DependencyGraph): CfnResource | undefined {
  return [...graph.references(alias)].find(
    ({ cfnResourceType }) => cfnResourceType === 'AWS::Lambda::Function',
  );
}

/** What calls a function by itself and not by an alias: it gets new code as soon as that is uploaded, whatever is held. */
export function callersOf(
  code: CfnResource,
  all: readonly CfnResource[],
  graph: DependencyGraph,
): readonly CfnResource[] {
  return all.filter(
    (one) => one !== code && !NOT_CALLING.test(one.cfnResourceType) && graph.references(one).has(code),
  );
}
