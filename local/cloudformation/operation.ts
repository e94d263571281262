import type { AssemblyStack } from './assembly.ts';
import type { Garbage } from './clean-up.ts';
import { creationOrder, dependenciesOf } from './dependencies.ts';
import type { Engine } from './engine.ts';
import type { Scope } from './intrinsics.ts';
import { ResourceFailure } from './resource-failure.ts';
import { createScope, parameterValues } from './scope.ts';
import type { Blueprint, Resource, Stack } from './stack.ts';
import type { Template } from './template.ts';

/** Faults of a rehearsal: logical id, or its beginning, with the reason of the failure. */
export type Faults = Readonly<Record<string, string>>;

/** What one operation did to one resource so far. */
export type Step =
  /** `after` is missing when nothing was made. */
  | { readonly kind: 'created'; readonly after: Resource | undefined }
  /** `after` holds the properties that were tried, also when the change failed. */
  | { readonly kind: 'updated'; readonly before: Resource; readonly after: Resource }
  | { readonly kind: 'replaced'; readonly before: Resource; readonly after: Resource | undefined };

/** One create or update of one stack, with all that a rollback has to know. */
export interface Operation {
  readonly stack: Stack;
  readonly target: Blueprint;
  readonly scope: Scope;
  readonly faults: Faults;
  readonly interrupted: AbortSignal;
  /** The resources as they were before. */
  readonly before: ReadonlyMap<string, Resource>;
  /** The rest of the stack as it was before. */
  readonly previous: Pick<Stack, 'blueprint' | 'outputs' | 'exports'> & {
    readonly imports: readonly string[];
  };
  readonly steps: Map<string, Step>;
  /** The way back asks custom resources before anything else is restored. */
  readonly eventsFirst: boolean;
  /** How far the way back has come; a rollback that is continued goes on from here. */
  readonly back: { readonly restored: Set<string>; readonly garbage: Garbage[] };
  /** Exports of other stacks that the new template uses. */
  readonly imports: Set<string>;
}

export interface OperationOptions {
  readonly template: Template;
  readonly assets: AssemblyStack['assets'];
  readonly parameters?: Readonly<Record<string, unknown>>;
  readonly faults?: Faults;
  readonly interrupted?: AbortSignal;
  readonly eventsFirst?: boolean;
}

/** Prepares an operation: parameters, conditions and the order of the resources that will exist. */
export function planOperation(engine: Engine, stack: Stack, options: OperationOptions): Operation {
  const { template, assets } = options;
  const parameters = parameterValues(template, options.parameters ?? {});
  const imports = new Set<string>();
  const scope = createScope({
    template,
    parameters,
    stack,
    account: engine.account,
    region: engine.region,
    resource: (logicalId) => stack.resources.get(logicalId),
    attribute: (logicalId, name) => attributeOf(engine, stack, logicalId, name),
    importValue(name) {
      imports.add(name);
      return engine.exportValue(name);
    },
  });
  const exists = (logicalId: string): boolean => {
    const condition = template.Resources[logicalId]?.Condition;
    return condition === undefined || scope.condition(condition);
  };
  return {
    stack,
    target: { template, parameters, assets, order: creationOrder(dependenciesOf(template, exists)) },
    scope,
    faults: options.faults ?? {},
    interrupted: options.interrupted ?? new AbortController().signal,
    before: new Map(stack.resources),
    previous: {
      blueprint: stack.blueprint,
      outputs: stack.outputs,
      exports: stack.exports,
      imports: [...stack.imports],
    },
    steps: new Map(),
    eventsFirst: options.eventsFirst ?? false,
    back: { restored: new Set(), garbage: [] },
    imports,
  };
}

function attributeOf(engine: Engine, stack: Stack, logicalId: string, name: string): unknown {
  const resource = stack.resources.get(logicalId);
  if (resource === undefined) {
    throw new ResourceFailure(
      `Template error: instance of Fn::GetAtt references undefined resource ${logicalId}`,
    );
  }
  const known = resource.attributes[name];
  return known === undefined ? engine.handlerFor(resource.type).attribute?.(resource, name) : known;
}

/** Takes over what the operation has brought about, beside the resources. */
export function adopt(
  { stack, target, imports }: Operation,
  outcome: Pick<Stack, 'outputs' | 'exports'>,
): void {
  Object.assign(stack, { ...outcome, blueprint: target, imports: new Set(imports) });
}

/** Puts back what `adopt` took over. */
export function disown({ stack, previous }: Operation): void {
  Object.assign(stack, { ...previous, imports: new Set(previous.imports) });
}
