import { createHash } from 'node:crypto';

import type { AssemblyStack } from './assembly.ts';
import type { ChangeRequest, ResourceHandler } from './resource-handler.ts';
import type { Resource, Stack } from './stack.ts';
import type { ResourceStatus, StackEvent, StackStatus } from './status.ts';

/** Names a fault of a rehearsal for one resource. */
export type FaultOf = (resource: {
  readonly stackName: string;
  readonly logicalId: string;
  /** The construct that made it. */
  readonly path: string | undefined;
}) => string | undefined;

/** What every operation on a stack needs from outside the stack. */
export interface Engine {
  readonly account: string;
  readonly region: string;
  readonly handlerFor: (type: string) => ResourceHandler;
  /** Adds the time and the stack's name, keeps the event and tells it on. */
  readonly emit: (stack: Stack, event: Omit<StackEvent, 'at' | 'stackName'>) => void;
  readonly exportValue: (name: string) => string | undefined;
  /** Reason with which a resource shall fail on the way forward, in whatever stack it stands. */
  readonly faultOf?: FaultOf;
  /**
   * Told in words what of a template cannot be played here; then something plausible stands in for it. Without it, that is a failure
   * of the resource.
   */
  readonly passOver?: (what: string) => void;
  /** Name of another stack that imports an export of this one. */
  readonly importerOf: (stack: Stack, exportName: string) => string | undefined;
}

/** An operation ended early: a resource failed, or the outputs of the stack when no resource is named. */
export class OperationFailed extends Error {
  override readonly name = 'OperationFailed';
  readonly logicalId: string | undefined;
  readonly reason: string;

  constructor(logicalId: string | undefined, reason: string) {
    super(logicalId === undefined ? reason : `${logicalId}: ${reason}`);
    this.logicalId = logicalId;
    this.reason = reason;
  }
}

/** Moves a stack to a status and tells it. */
export function enter(engine: Engine, stack: Stack, status: StackStatus, reason?: string): void {
  stack.status = status;
  stack.reason = reason;
  engine.emit(stack, {
    logicalId: stack.name,
    resourceType: 'AWS::CloudFormation::Stack',
    status,
    physicalId: stack.id,
    ...(reason === undefined ? {} : { reason }),
  });
}

/** Tells the status of one resource. */
export function report(
  engine: Engine,
  stack: Stack,
  resource: Pick<Resource, 'logicalId' | 'type' | 'path'> & { readonly physicalId?: string },
  status: ResourceStatus,
  reason?: string,
): void {
  engine.emit(stack, {
    logicalId: resource.logicalId,
    resourceType: resource.type,
    status,
    ...(resource.physicalId === undefined ? {} : { physicalId: resource.physicalId }),
    ...(resource.path === undefined ? {} : { path: resource.path }),
    ...(reason === undefined ? {} : { reason }),
  });
}

/** `<stack>-<logical id>-<12 characters>`: a new one each time the resource is made anew. */
function inventName(stack: Stack, logicalId: string): string {
  const generation = stack.generations.get(logicalId) ?? 0;
  const suffix = createHash('sha256').update(`${stack.id}|${logicalId}|${generation}`).digest('hex');
  return `${stack.name}-${logicalId}-${suffix.slice(0, 12).toUpperCase()}`;
}

/** A request about a resource that stands. Only work that goes forward can be interrupted. */
export function requestAbout(
  stack: Stack,
  resource: Resource,
  assets: AssemblyStack['assets'],
  interrupted: AbortSignal = new AbortController().signal,
): ChangeRequest {
  return {
    stack: { id: stack.id, name: stack.name },
    logicalId: resource.logicalId,
    type: resource.type,
    properties: resource.properties,
    physicalId: resource.physicalId,
    attributes: resource.attributes,
    inventedName: inventName(stack, resource.logicalId),
    assets,
    interrupted,
  };
}
