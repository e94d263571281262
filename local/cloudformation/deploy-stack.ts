import { isDeepStrictEqual } from 'node:util';

import { discard, type Garbage } from './clean-up.ts';
import { deleteResources } from './delete-stack.ts';
import { enter, OperationFailed, requestAbout, type Engine } from './engine.ts';
import { goForward } from './go-forward.ts';
import type { Operation } from './operation.ts';
import { resolveOutputs } from './outputs.ts';
import { ResourceFailure } from './resource-failure.ts';
import { rollBack } from './roll-back.ts';

/** Makes a new stack; a failure deletes again what was made. */
export async function createStack(engine: Engine, operation: Operation): Promise<void> {
  const { stack } = operation;
  enter(engine, stack, 'CREATE_IN_PROGRESS', 'User Initiated');
  const failure = await attempt(engine, operation);
  if (failure === undefined) {
    enter(engine, stack, 'CREATE_COMPLETE');
    return;
  }
  stack.blueprint = operation.target;
  enter(
    engine,
    stack,
    'ROLLBACK_IN_PROGRESS',
    `The following resource(s) failed to create: [${failure.logicalId}]. Rollback requested by user.`,
  );
  const failed = await deleteResources(engine, stack, 'made in vain');
  if (failed.length > 0) {
    const reason = `The following resource(s) failed to delete: [${failed.join(', ')}].`;
    enter(engine, stack, 'ROLLBACK_FAILED', reason);
  } else {
    enter(engine, stack, 'ROLLBACK_COMPLETE');
  }
}

/** Whether an update would change nothing at all; CloudFormation then refuses to start one. */
export function isUnchanged({ stack: { blueprint }, target }: Operation): boolean {
  return (
    blueprint !== undefined &&
    isDeepStrictEqual(blueprint.template, target.template) &&
    isDeepStrictEqual(blueprint.parameters, target.parameters)
  );
}

/** Changes a stack: forward and cleanup, or forward, back and cleanup. */
export async function updateStack(engine: Engine, operation: Operation): Promise<void> {
  const { stack } = operation;
  enter(engine, stack, 'UPDATE_IN_PROGRESS', 'User Initiated');
  const oldOrder = stack.blueprint?.order ?? [];
  const failure = await attempt(engine, operation);
  if (failure === undefined) {
    enter(engine, stack, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    await settle(engine, operation);
    await cleanUp(engine, operation, leftBehind(operation, oldOrder));
    enter(engine, stack, 'UPDATE_COMPLETE');
    return;
  }
  enter(
    engine,
    stack,
    'UPDATE_ROLLBACK_IN_PROGRESS',
    `The following resource(s) failed to update: [${failure.logicalId}].`,
  );
  await returnToOld(engine, operation);
}

/** The way back of an update; also the way on from `UPDATE_ROLLBACK_FAILED`. */
export async function returnToOld(
  engine: Engine,
  operation: Operation,
  skip?: ReadonlySet<string>,
): Promise<void> {
  const { stack } = operation;
  try {
    const garbage = await rollBack(engine, operation, skip);
    enter(engine, stack, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    await settle(engine, operation);
    await cleanUp(engine, operation, garbage);
    enter(engine, stack, 'UPDATE_ROLLBACK_COMPLETE');
  } catch (error) {
    if (!(error instanceof OperationFailed)) {
      throw error;
    }
    const reason = `The following resource(s) failed to update: [${error.logicalId}].`;
    enter(engine, stack, 'UPDATE_ROLLBACK_FAILED', reason);
  }
}

/** Goes forward and takes over outputs and blueprint, or says what failed. */
async function attempt(engine: Engine, operation: Operation): Promise<OperationFailed | undefined> {
  const { stack, target } = operation;
  try {
    await goForward(engine, operation);
    Object.assign(stack, resolveOutputs(engine, operation));
  } catch (error) {
    if (error instanceof OperationFailed) {
      return error;
    }
    if (error instanceof ResourceFailure) {
      return new OperationFailed(stack.name, error.message);
    }
    throw error;
  }
  stack.blueprint = target;
  stack.imports.clear();
  for (const name of operation.imports) {
    stack.imports.add(name);
  }
  return undefined;
}

/** What a successful update leaves behind: removed and replaced resources, dependents first. */
function leftBehind(
  { before, steps, target, stack }: Operation,
  oldOrder: readonly string[],
): readonly Garbage[] {
  const garbage: Garbage[] = [];
  for (const logicalId of oldOrder.toReversed()) {
    const old = before.get(logicalId);
    const step = steps.get(logicalId);
    if (old === undefined) {
      continue;
    }
    if (!target.order.includes(logicalId)) {
      stack.resources.delete(logicalId);
      garbage.push({ resource: old, why: 'removed' });
    } else if (step !== undefined && step.kind !== 'created' && step.after?.physicalId !== old.physicalId) {
      const { updateReplacePolicy } = step.after ?? old;
      garbage.push({ resource: { ...old, updateReplacePolicy }, why: 'replaced' });
    }
  }
  return garbage;
}

/** A failed deletion in a cleanup is told and forgotten: it does not fail the stack. */
async function cleanUp(
  engine: Engine,
  { stack, target }: Operation,
  garbage: readonly Garbage[],
): Promise<void> {
  for (const each of garbage) {
    await discard(engine, stack, stack.blueprint?.assets ?? target.assets, each);
  }
}

async function settle(engine: Engine, { stack, target }: Operation): Promise<void> {
  for (const resource of stack.resources.values()) {
    await engine.handlerFor(resource.type).settle?.(requestAbout(stack, resource, target.assets));
  }
}
