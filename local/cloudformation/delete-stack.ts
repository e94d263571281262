import { discard, type Garbage } from './clean-up.ts';
import { dependenciesOf } from './dependencies.ts';
import { enter, type Engine } from './engine.ts';
import type { Stack } from './stack.ts';

/** Deletes the resources in reverse order; one that cannot go also holds what it depends on. */
export async function deleteResources(
  engine: Engine,
  stack: Stack,
  why: Garbage['why'],
  blueprint = stack.blueprint,
): Promise<readonly string[]> {
  if (blueprint === undefined) {
    return [];
  }
  const dependencies = dependenciesOf(blueprint.template, (logicalId) => blueprint.order.includes(logicalId));
  const kept = new Set<string>();
  const failed: string[] = [];
  for (const logicalId of blueprint.order.toReversed()) {
    const resource = stack.resources.get(logicalId);
    if (resource === undefined) {
      continue;
    }
    const isHeld = [...kept].some((other) => dependencies.get(other)?.has(logicalId) === true);
    if (isHeld) {
      kept.add(logicalId);
    } else if ((await discard(engine, stack, blueprint.assets, { resource, why })) === undefined) {
      stack.resources.delete(logicalId);
    } else {
      kept.add(logicalId);
      failed.push(logicalId);
    }
  }
  return failed;
}

/** Deletes a stack; resources that cannot go leave it in `DELETE_FAILED`, from where it can be tried again. */
export async function deleteStack(engine: Engine, stack: Stack): Promise<void> {
  enter(engine, stack, 'DELETE_IN_PROGRESS', 'User Initiated');
  const failed = await deleteResources(engine, stack, 'removed');
  if (failed.length > 0) {
    enter(
      engine,
      stack,
      'DELETE_FAILED',
      `The following resource(s) failed to delete: [${failed.join(', ')}].`,
    );
    return;
  }
  stack.imports = new Set();
  stack.exports = {};
  enter(engine, stack, 'DELETE_COMPLETE');
}
