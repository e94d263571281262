import type { Garbage } from './clean-up.ts';
import { OperationFailed, report, requestAbout, type Engine } from './engine.ts';
import { disown, type Operation, type Step } from './operation.ts';
import { ResourceFailure } from './resource-failure.ts';
import type { Resource } from './stack.ts';

/**
 * Takes an update back: every touched resource gets its cached old properties, in the old template's order, so that a
 * function is the old one again before the custom resource that depends on it is asked. What was made is only collected:
 * it is deleted in the cleanup afterwards.
 * @returns what the cleanup has to delete. Rejects with `OperationFailed` where the way back is blocked.
 */
export async function rollBack(
  engine: Engine,
  operation: Operation,
  skip: ReadonlySet<string> = new Set(),
): Promise<readonly Garbage[]> {
  const { stack, before, steps, target, back } = operation;
  disown(operation);
  for (const logicalId of orderBack(operation)) {
    const old = before.get(logicalId);
    const step = steps.get(logicalId);
    if (old === undefined || back.restored.has(logicalId)) {
      continue;
    }
    if (step === undefined || skip.has(logicalId)) {
      stack.resources.set(logicalId, old);
    } else {
      back.garbage.push(...(await restore(engine, operation, old, step)));
    }
    back.restored.add(logicalId);
  }
  return [...madeInVain(operation, target.order), ...back.garbage];
}

function orderBack({ stack: { blueprint }, before, eventsFirst }: Operation): readonly string[] {
  const order = blueprint?.order ?? [];
  if (!eventsFirst) return order;
  const isEvent = (logicalId: string): boolean => isCustom(before.get(logicalId)?.type ?? '');
  return [
    ...order.filter((logicalId) => isEvent(logicalId)),
    ...order.filter((logicalId) => !isEvent(logicalId)),
  ];
}

const isCustom = (type: string): boolean =>
  type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource';

function madeInVain({ stack, steps }: Operation, order: readonly string[]): readonly Garbage[] {
  return order.toReversed().flatMap((logicalId) => {
    const step = steps.get(logicalId);
    if (step?.kind !== 'created') {
      return [];
    }
    stack.resources.delete(logicalId);
    return step.after === undefined ? [] : [{ resource: step.after, why: 'made in vain' }];
  });
}

async function restore(
  engine: Engine,
  operation: Operation,
  old: Resource,
  step: Step,
): Promise<readonly Garbage[]> {
  const { stack } = operation;
  report(engine, stack, stack.resources.get(old.logicalId) ?? old, 'UPDATE_IN_PROGRESS');
  if (step.kind !== 'updated') {
    stack.resources.set(old.logicalId, old);
    report(engine, stack, old, 'UPDATE_COMPLETE');
    return step.after === undefined ? [] : [{ resource: step.after, why: 'replacement in vain' }];
  }
  const { after } = step;
  try {
    const request = requestAbout(
      stack,
      { ...after, properties: old.properties },
      stack.blueprint?.assets ?? new Map(),
    );
    const made = await engine
      .handlerFor(old.type)
      .update({ ...request, oldProperties: after.properties, direction: 'back' });
    const restored = { ...old, physicalId: made.physicalId, attributes: made.attributes };
    stack.resources.set(old.logicalId, restored);
    report(engine, stack, restored, 'UPDATE_COMPLETE');
    return made.physicalId === after.physicalId ? [] : [{ resource: after, why: 'replacement in vain' }];
  } catch (error) {
    if (!(error instanceof ResourceFailure)) {
      throw error;
    }
    report(engine, stack, after, 'UPDATE_FAILED', error.message);
    throw new OperationFailed(old.logicalId, error.message);
  }
}
