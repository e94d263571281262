import {
  CfnResource,
  DefaultTokenResolver,
  Reference,
  type Stack,
  StringConcat,
  Tokenization,
} from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Which resource waits for which, as CloudFormation will see it: through references and through declared dependencies. */
export interface DependencyGraph {
  /** What the properties of a resource name. */
  readonly references: (resource: CfnResource) => ReadonlySet<CfnResource>;
  /**
   * The shortest way from one resource to another that it waits for, both included; null when it does not wait for it. What lies
   * in a nested stack is deployed with all of that stack, and so stands on the way as the stack's own resource.
   */
  readonly way: (from: CfnResource, to: CfnResource) => readonly CfnResource[] | null;
}

type Edges = ReadonlyMap<CfnResource, ReadonlySet<CfnResource>>;

/** Reads the graph as it is at this moment; what is added later is not in it. */
export function dependencyGraph(root: IConstruct): DependencyGraph {
  const all = resourcesIn(root);
  const references = remembered((resource: CfnResource) => new Set(referenced(resource)));
  const edgesOf = remembered((stack: Stack): Edges => {
    const edges = new Map<CfnResource, Set<CfnResource>>();
    for (const resource of all) {
      const from = standIn(resource, stack);
      if (from === null) continue;
      const waits = edges.get(from) ?? new Set<CfnResource>();
      edges.set(from, waits);
      for (const next of [...references(resource), ...declared(resource)]) {
        const to = standIn(next, stack);
        if (to !== null && to !== from) waits.add(to);
      }
    }
    return edges;
  });
  return {
    references,
    way(from, to) {
      const stack = commonStack(from.stack, to.stack);
      if (stack === null) return null;
      const [start, end] = [standIn(from, stack), standIn(to, stack)];
      return start === null || end === null ? null : shortestWay(start, end, edgesOf(stack));
    },
  };
}

/** All resources below a construct, itself included. */
export function resourcesIn(construct: IConstruct): readonly CfnResource[] {
  return construct.node.findAll().filter((one) => CfnResource.isCfnResource(one));
}

/** Resolving a resource takes time, and the same one is asked for again and again. */
function remembered<K extends object, V>(find: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    const found = known.get(key) ?? find(key);
    known.set(key, found);
    return found;
  };
}

function shortestWay(start: CfnResource, end: CfnResource, edges: Edges): readonly CfnResource[] | null {
  const cameFrom = new Map<CfnResource, CfnResource | null>([[start, null]]);
  for (const [one] of cameFrom) {
    if (one === end) return stepsTo(end, cameFrom);
    for (const next of edges.get(one) ?? []) if (!cameFrom.has(next)) cameFrom.set(next, one);
  }
  return null;
}

function stepsTo(
  end: CfnResource,
  cameFrom: ReadonlyMap<CfnResource, CfnResource | null>,
): readonly CfnResource[] {
  const before = cameFrom.get(end) ?? null;
  return before === null ? [end] : [...stepsTo(before, cameFrom), end];
}

/** The innermost stack that holds both, counting what it nests; null for stacks that are deployed apart. */
function commonStack(one: Stack, other: Stack): Stack | null {
  const around = new Set(enclosing(one));
  return enclosing(other).find((stack) => around.has(stack)) ?? null;
}

function enclosing(stack: Stack): readonly Stack[] {
  return stack.nestedStackParent === undefined ? [stack] : [stack, ...enclosing(stack.nestedStackParent)];
}

/** The resource by which a stack deploys another one: itself, or the nested stack around it; null when it lies elsewhere. */
function standIn(resource: CfnResource, stack: Stack): CfnResource | null {
  if (resource.stack === stack) return resource;
  const nested = resource.stack.nestedStackResource;
  return nested === undefined ? null : standIn(nested, stack);
}

/** What the constructs around a resource, and the resource itself, were told to wait for. */
function declared(resource: CfnResource): readonly CfnResource[] {
  const constructs: readonly IConstruct[] = [
    ...resource.node.scopes.flatMap(({ node }) => node.dependencies),
    ...resource.obtainDependencies(),
  ];
  return constructs.flatMap((one) => resourcesIn(one));
}

/** What the properties of a resource refer to, wherever inside expressions and texts. */
function referenced(resource: CfnResource): readonly CfnResource[] {
  const remembering = new RememberingResolver();
  // What CDK itself looks through for references between stacks; its types leave the method out.
  const template: unknown = Reflect.apply(
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    Reflect.get(resource, '_toCloudFormation') as () => unknown,
    resource,
    [],
  );
  Tokenization.resolve(template, { scope: resource, resolver: remembering, preparing: true });
  return remembering.targets
    .filter((one) => CfnResource.isCfnResource(one))
    .filter((one) => one !== resource);
}

class RememberingResolver extends DefaultTokenResolver {
  readonly targets: IConstruct[] = [];

  constructor() {
    super(new StringConcat());
  }

  override resolveToken(
    ...[token, context, post]: Parameters<DefaultTokenResolver['resolveToken']>
  ): unknown {
    if (Reference.isReference(token)) this.targets.push(token.target);
    return super.resolveToken(token, context, post);
  }
}
