import { isDeepStrictEqual } from 'node:util';

import { discard, type Garbage } from './clean-up.ts';
import { deleteResources } from './delete-stack.ts';
import { enter, OperationFailed, requestAbout, type Engine } from './engine.ts';
import { goForward } from './go-forward.ts';
import { adopt, type Operation } from './operation.ts';
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
  enter(engine, stack, 'ROLLBACK_IN_PROGRESS', stackReason('create', failure));
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
  const garbage = (await updateForward(engine, operation)) ?? (await updateBack(engine, operation));
  if (garbage !== undefined) {
    await finishUpdate(engine, operation, garbage);
  }
}

/** @returns what the cleanup has to delete; nothing when the update failed and has to go back. */
export async function updateForward(
  engine: Engine,
  operation: Operation,
): Promise<readonly Garbage[] | undefined> {
  const { stack } = operation;
  enter(engine, stack, 'UPDATE_IN_PROGRESS', 'User Initiated');
  const failure = await attempt(engine, operation);
  if (failure === undefined) {
    enter(engine, stack, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    return leftBehind(operation);
  }
  enter(engine, stack, 'UPDATE_ROLLBACK_IN_PROGRESS', stackReason('update', failure));
  return undefined;
}

/** @returns what the cleanup has to delete; nothing when the way back is blocked: `UPDATE_ROLLBACK_FAILED`. */
export async function updateBack(
  engine: Engine,
  operation: Operation,
  skip?: ReadonlySet<string>,
): Promise<readonly Garbage[] | undefined> {
  const { stack } = operation;
  try {
    const garbage = await rollBack(engine, operation, skip);
    enter(engine, stack, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    return garbage;
  } catch (error) {
    if (!(error instanceof OperationFailed)) {
      throw error;
    }
    enter(engine, stack, 'UPDATE_ROLLBACK_FAILED', stackReason('update', error));
    return undefined;
  }
}

/** The cleanup of either way. A deletion that fails is told and forgotten: it does not fail the stack. */
export async function finishUpdate(
  engine: Engine,
  { stack, target, previous }: Operation,
  garbage: readonly Garbage[],
): Promise<void> {
  for (const resource of stack.resources.values()) {
    await engine.handlerFor(resource.type).settle?.(requestAbout(stack, resource, target.assets));
  }
  for (const each of garbage) {
    await discard(engine, stack, previous.blueprint?.assets ?? target.assets, each);
  }
  const isBack = stack.status === 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS';
  enter(engine, stack, isBack ? 'UPDATE_ROLLBACK_COMPLETE' : 'UPDATE_COMPLETE');
}

/** Goes forward and takes over the outcome, or says what failed. */
async function attempt(engine: Engine, operation: Operation): Promise<OperationFailed | undefined> {
  try {
    await goForward(engine, operation);
    adopt(operation, resolveOutputs(engine, operation));
    return undefined;
  } catch (error) {
    if (error instanceof OperationFailed) {
      return error;
    }
    if (error instanceof ResourceFailure) {
      return new OperationFailed(undefined, error.message);
    }
    throw error;
  }
}

/** What a successful update leaves behind: removed and replaced resources, dependents first. */
function leftBehind({ before, steps, target, stack, previous }: Operation): readonly Garbage[] {
  const garbage: Garbage[] = [];
  for (const logicalId of (previous.blueprint?.order ?? []).toReversed()) {
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

function stackReason(verb: 'create' | 'update', { logicalId, reason }: OperationFailed): string {
  return logicalId === undefined ? reason : `The following resource(s) failed to ${verb}: [${logicalId}].`;
}
