import { isDeepStrictEqual } from 'node:util';

import { OperationFailed, report, requestAbout, type Engine } from './engine.ts';
import type { Operation } from './operation.ts';
import { ResourceFailure } from './resource-failure.ts';
import type { Made, ResourceHandler } from './resource-handler.ts';
import { resolveProperties } from './scope.ts';
import { textAt } from './plain-values.ts';
import type { Resource, Stack } from './stack.ts';
import { constructPath, type ResourceDefinition } from './template.ts';

type Draft = Omit<Resource, 'physicalId' | 'attributes'>;

/**
 * Brings every resource to what the template says, dependencies first: missing ones are made, ones whose resolved
 * properties differ are changed, the rest is left alone. Rejects with `OperationFailed` at the first failure.
 */
export async function goForward(engine: Engine, operation: Operation): Promise<void> {
  for (const logicalId of operation.target.order) {
    const definition = operation.target.template.Resources[logicalId];
    if (definition !== undefined) {
      await bring(engine, operation, logicalId, definition);
    }
    if (operation.interrupted.aborted) {
      throw new OperationFailed(logicalId, 'The operation was interrupted.');
    }
  }
}

async function bring(
  engine: Engine,
  operation: Operation,
  logicalId: string,
  definition: ResourceDefinition,
): Promise<void> {
  const { stack } = operation;
  const before = stack.resources.get(logicalId);
  const plain = {
    logicalId,
    type: definition.Type,
    deletionPolicy: definition.DeletionPolicy,
    updateReplacePolicy: definition.UpdateReplacePolicy,
    path: constructPath(definition),
  };
  const failed = before === undefined ? 'CREATE_FAILED' : 'UPDATE_FAILED';
  const handler = engine.handlerFor(definition.Type);
  const properties = await orFail(engine, operation, plain, failed, async () => {
    if (before !== undefined && before.type !== definition.Type) {
      throw new ResourceFailure('Update of resource type is not permitted.');
    }
    return await Promise.resolve(propertiesOf(engine, operation, logicalId, definition, handler));
  });
  const draft = { ...plain, properties };
  if (before === undefined) {
    await create(engine, operation, handler, draft);
  } else if (isDeepStrictEqual(before.properties, properties)) {
    stack.resources.set(logicalId, { ...before, ...plain });
  } else if (mustReplace(handler, before, draft)) {
    await replace(engine, operation, handler, { before, draft });
  } else {
    await change(engine, operation, handler, { before, draft });
  }
}

/** What nothing happens in needs no right properties; its made-up attributes may not fit every function of a template. */
function propertiesOf(
  { passOver }: Engine,
  { scope, stack }: Operation,
  logicalId: string,
  { Properties, Type }: ResourceDefinition,
  { isOpaque = false }: ResourceHandler,
): Readonly<Record<string, unknown>> {
  try {
    return resolveProperties(Properties, scope);
  } catch (error) {
    if (!(error instanceof ResourceFailure) || !isOpaque || passOver === undefined) {
      throw error;
    }
    passOver(`The properties of ${logicalId} (${Type}) in ${stack.name} are not all known here.`);
    return Properties;
  }
}

async function create(
  engine: Engine,
  operation: Operation,
  handler: ResourceHandler,
  draft: Draft,
): Promise<void> {
  const { stack, steps } = operation;
  const { logicalId } = draft;
  const keep = (made: Made): Resource => {
    const after = { ...draft, physicalId: made.physicalId, attributes: made.attributes };
    steps.set(logicalId, { kind: 'created', after });
    stack.resources.set(logicalId, after);
    return after;
  };
  report(engine, stack, draft, 'CREATE_IN_PROGRESS');
  steps.set(logicalId, { kind: 'created', after: undefined });
  const made = await orFail(
    engine,
    operation,
    draft,
    'CREATE_FAILED',
    () => unlessFault(engine, operation, draft, () => handler.create(requestFor(operation, draft))),
    (physicalId) => void keep({ physicalId, attributes: {} }),
  );
  report(engine, stack, keep(made), 'CREATE_COMPLETE');
}

async function replace(
  engine: Engine,
  operation: Operation,
  handler: ResourceHandler,
  { before, draft }: { readonly before: Resource; readonly draft: Draft },
): Promise<void> {
  const { stack, steps } = operation;
  const { logicalId } = draft;
  report(
    engine,
    stack,
    before,
    'UPDATE_IN_PROGRESS',
    'Requested update requires the creation of a new physical resource; hence creating one.',
  );
  steps.set(logicalId, { kind: 'replaced', before, after: undefined });
  stack.generations.set(logicalId, (stack.generations.get(logicalId) ?? 0) + 1);
  const made = await orFail(engine, operation, before, 'UPDATE_FAILED', () =>
    unlessFault(engine, operation, draft, () => {
      refuseTwins(stack, handler, before, draft);
      return handler.create(requestFor(operation, draft));
    }),
  );
  const after = { ...draft, physicalId: made.physicalId, attributes: made.attributes };
  steps.set(logicalId, { kind: 'replaced', before, after });
  stack.resources.set(logicalId, after);
  report(engine, stack, after, 'UPDATE_COMPLETE');
}

async function change(
  engine: Engine,
  operation: Operation,
  handler: ResourceHandler,
  { before, draft }: { readonly before: Resource; readonly draft: Draft },
): Promise<void> {
  const { stack, steps, target, interrupted } = operation;
  report(engine, stack, before, 'UPDATE_IN_PROGRESS');
  const tried = { ...before, ...draft };
  steps.set(draft.logicalId, { kind: 'updated', before, after: tried });
  const made = await orFail(engine, operation, before, 'UPDATE_FAILED', () =>
    unlessFault(engine, operation, draft, () =>
      handler.update({
        ...requestAbout(stack, tried, target.assets, interrupted),
        oldProperties: before.properties,
        direction: 'forward',
      }),
    ),
  );
  const after = { ...draft, physicalId: made.physicalId, attributes: made.attributes };
  steps.set(draft.logicalId, { kind: 'updated', before, after });
  stack.resources.set(draft.logicalId, after);
  report(engine, stack, after, 'UPDATE_COMPLETE');
}

function refuseTwins(stack: Stack, { nameProperty }: ResourceHandler, before: Resource, draft: Draft): void {
  const name = nameProperty === undefined ? undefined : textAt(draft.properties, nameProperty);
  if (nameProperty !== undefined && name !== undefined && name === textAt(before.properties, nameProperty)) {
    throw new ResourceFailure(
      `CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename ${name} and update the stack ${stack.name} again.`,
    );
  }
}

function mustReplace(handler: ResourceHandler, before: Resource, draft: Draft): boolean {
  const { replacedBy = [], replacedByPresenceOf = [] } = handler;
  return (
    replacedBy === 'any property' ||
    replacedByPresenceOf.some((name) => name in before.properties !== name in draft.properties) ||
    replacedBy.some((name) => !isDeepStrictEqual(before.properties[name], draft.properties[name]))
  );
}

function requestFor(
  { stack, target, interrupted }: Operation,
  draft: Draft,
): ReturnType<typeof requestAbout> {
  return requestAbout(stack, { ...draft, physicalId: '', attributes: {} }, target.assets, interrupted);
}

/** A fault stands in for the resource's own failure: nothing of the resource happens. */
async function unlessFault<T>(
  { faultOf }: Engine,
  { faults, stack }: Operation,
  { logicalId, path }: Draft,
  step: () => Promise<T>,
): Promise<T> {
  const reason =
    faultOf?.({ stackName: stack.name, logicalId, path }) ??
    faults[logicalId] ??
    Object.entries(faults).find(([beginning]) => logicalId.startsWith(beginning))?.[1];
  if (reason !== undefined) {
    throw new ResourceFailure(reason);
  }
  return await step();
}

/** Runs one step; a failure is told and ends the operation. */
async function orFail<T>(
  engine: Engine,
  { stack }: Operation,
  resource: Omit<Draft, 'properties'> & { readonly physicalId?: string },
  status: 'CREATE_FAILED' | 'UPDATE_FAILED',
  step: () => Promise<T>,
  onMade?: (physicalId: string) => void,
): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof ResourceFailure)) {
      throw error;
    }
    const physicalId = resource.physicalId ?? error.physicalId;
    if (error.physicalId !== undefined) {
      onMade?.(error.physicalId);
    }
    report(
      engine,
      stack,
      { ...resource, ...(physicalId === undefined ? {} : { physicalId }) },
      status,
      error.message,
    );
    throw new OperationFailed(resource.logicalId, error.message);
  }
}
