import type { AssemblyStack } from './assembly.ts';
import type { StackEvent, StackStatus } from './status.ts';
import type { DeletionPolicy, Template } from './template.ts';

/** A resource as it stands, with everything a rollback needs to bring it back. */
export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  readonly physicalId: string;
  /** Resolved: what the resource was really given. A rollback uses these and resolves nothing anew. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly deletionPolicy: DeletionPolicy;
  readonly updateReplacePolicy: DeletionPolicy;
  readonly path: string | undefined;
}

/** What a stack was last successfully told to be. */
export interface Blueprint {
  readonly template: Template;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly assets: AssemblyStack['assets'];
  /** Logical ids of the resources that exist, dependencies first. */
  readonly order: readonly string[];
}

export interface Stack {
  readonly name: string;
  readonly id: string;
  status: StackStatus;
  reason: string | undefined;
  blueprint: Blueprint | undefined;
  readonly resources: Map<string, Resource>;
  outputs: Readonly<Record<string, string>>;
  /** Export names with their values. */
  exports: Readonly<Record<string, string>>;
  /** Names of exports of other stacks that this one uses. */
  imports: ReadonlySet<string>;
  /** How often each resource was made anew; part of its invented name. */
  readonly generations: Map<string, number>;
  readonly events: StackEvent[];
}

/** A stack that was named but has nothing yet. */
export function emptyStack(name: string, id: string): Stack {
  return {
    name,
    id,
    status: 'CREATE_IN_PROGRESS',
    reason: undefined,
    blueprint: undefined,
    resources: new Map(),
    outputs: {},
    exports: {},
    imports: new Set(),
    generations: new Map(),
    events: [],
  };
}
