import { Annotations, type CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { type DependencyGraph, dependencyGraph, resourcesIn } from './dependency-graph.ts';
import { callersOf, codeBehind } from './unqualified-use.ts';

/**
 * Looks at the finished tree for what would break the order of a deploy. Circles come back as errors: CloudFormation would find
 * them only when the stack is sent to it, and to CDK they are no more than a warning. New code that would run too early is
 * warned of.
 */
export function checkOrder(
  migrations: IConstruct,
  gatekeeper: CfnResource,
  held: readonly CfnResource[],
): string[] {
  const graph = dependencyGraph(migrations.node.root);
  const all = resourcesIn(migrations.node.root);
  for (const one of held) warnOfEarlyCode(migrations, one, new Set(held), all, graph);
  const circles = held.flatMap((one) => circleThrough(gatekeeper, one, graph));
  // Everything behind the first circle usually closes it again.
  return circles.slice(0, 3);
}

function circleThrough(gatekeeper: CfnResource, one: CfnResource, graph: DependencyGraph): string[] {
  const way = graph.way(gatekeeper, one);
  if (way === null) return [];
  const names = way.map((step) => `'${nameOf(step)}'`);
  const last = names.at(-2) ?? '';
  return [
    `'${nameOf(one)}' is to wait for the migrations, and they wait for it: ${names.join(' needs ')}. Let ${last} do without it, or let 'runBefore' name something smaller.`,
  ];
}

function warnOfEarlyCode(
  migrations: IConstruct,
  alias: CfnResource,
  held: ReadonlySet<CfnResource>,
  all: readonly CfnResource[],
  graph: DependencyGraph,
): void {
  const code = alias.cfnResourceType === 'AWS::Lambda::Alias' ? codeBehind(alias, graph) : undefined;
  if (code === undefined || held.has(code)) return;
  const [caller] = callersOf(code, all, graph);
  if (caller === undefined) return;
  Annotations.of(migrations).addWarningV2(
    `forerun:early-code:${code.node.path}`,
    `'${nameOf(caller)}' calls the function '${nameOf(code)}' itself and not its alias '${nameOf(alias)}', so it runs new code before the migrations. Let it name the alias, or hold the function with 'runBefore' as well.`,
  );
}

/** The path by which a user knows it: the default child of a construct goes by the construct's name. */
function nameOf(resource: CfnResource): string {
  const { scope, path } = resource.node;
  return scope?.node.defaultChild === resource ? scope.node.path : path;
}
