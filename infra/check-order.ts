import { Annotations, type CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { canWaitFor } from './after-resource.ts';
import { type DependencyGraph, dependencyGraph, resourcesIn } from './dependency-graph.ts';
import { callersOf, codeBehind } from './unqualified-use.ts';

/** What comes in which order. */
export interface Order {
  /** What the app waits for. */
  readonly gatekeeper: CfnResource;
  /** What waits for the app, where a migration says so. */
  readonly after: CfnResource | undefined;
  /** The app. */
  readonly held: readonly CfnResource[];
}

/**
 * Looks at the finished tree for what would break the order of a deploy. Circles come back as errors: CloudFormation would find
 * them only when the stack is sent to it, and to CDK they are no more than a warning. New code that would run too early is
 * warned of.
 */
export function checkOrder(migrations: IConstruct, { gatekeeper, after, held }: Order): string[] {
  const graph = dependencyGraph(migrations.node.root);
  const all = resourcesIn(migrations.node.root);
  for (const one of held) warnOfEarlyCode(migrations, one, new Set(held), all, graph);
  const circles = held.flatMap((one) => circleThrough(gatekeeper, one, graph));
  if (after !== undefined) {
    circles.push(...held.flatMap((one) => circleThroughAfter(after, one, graph)));
    if (held.length === 0) warnOfNoApp(migrations);
  }
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

function circleThroughAfter(after: CfnResource, one: CfnResource, graph: DependencyGraph): string[] {
  if (!canWaitFor(after, one)) {
    return [
      `'${nameOf(one)}' goes live with the stack '${one.stack.node.path}', after everything in the stack of the migrations; so those of phase 'after' cannot wait for it. Put the migrations into the stack of the app, or leave 'phase' out and deploy them with the release after this one.`,
    ];
  }
  const way = graph.way(one, after);
  if (way === null) return [];
  const names = way.map((step) => `'${nameOf(step)}'`);
  return [
    `The migrations of phase 'after' wait for '${nameOf(one)}' to be live, and it waits for them: ${names.join(' needs ')}. Let ${names.at(-2) ?? ''} do without it, or let 'runBefore' name something smaller.`,
  ];
}

function warnOfNoApp(migrations: IConstruct): void {
  Annotations.of(migrations).addWarningV2(
    'forerun:after-without-app',
    `Migrations of phase 'after' wait for no app, because nothing is held: they run right behind the others. Name what makes your app live with 'runBefore', or let 'gateAll' find it.`,
  );
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
