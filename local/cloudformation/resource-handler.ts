import type { AssemblyStack } from './assembly.ts';

/** What the engine tells a handler about the resource it is to make, change or remove. */
export interface ResourceRequest {
  readonly stack: { readonly id: string; readonly name: string };
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly assets: AssemblyStack['assets'];
  /** `<stack>-<logical id>-<suffix>`, as CloudFormation invents names; equal deploys get equal names. */
  readonly inventedName: string;
  /** Fires when the operation is interrupted while the resource is still in progress. */
  readonly interrupted: AbortSignal;
}

export interface ChangeRequest extends ResourceRequest {
  readonly physicalId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

interface UpdateRequest extends ChangeRequest {
  readonly oldProperties: Readonly<Record<string, unknown>>;
  /** A rollback may be played differently inside a nested stack. */
  readonly direction: 'forward' | 'back';
}

/** A resource that stands: what `Ref` gives, and what `Fn::GetAtt` gives by name. */
export interface Made {
  readonly physicalId: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** How one type of resource is played. Each function rejects with `ResourceFailure` when the resource fails. */
export interface ResourceHandler {
  readonly create: (request: ResourceRequest) => Promise<Made>;
  /** Called only with properties that really changed, and on a rollback. */
  readonly update: (request: UpdateRequest) => Promise<Made>;
  readonly delete: (request: ChangeRequest) => Promise<void>;
  /** Properties whose change makes a new resource instead of changing the old one. */
  readonly replacedBy?: readonly string[] | 'any property';
  /** Properties that make a new resource only where they come or go. */
  readonly replacedByPresenceOf?: readonly string[];
  /** The property that gives the resource a fixed name: two of one name cannot stand side by side. */
  readonly nameProperty?: string;
  /** The value of an attribute that `attributes` does not hold. */
  readonly attribute?: (resource: Made & { readonly type: string }, name: string) => unknown;
  /** Nothing happens in it: whatever its properties say. */
  readonly isOpaque?: boolean;
  /** Called in the cleanup phase for each resource that changed and stays. */
  readonly settle?: (request: ChangeRequest) => Promise<void>;
}
