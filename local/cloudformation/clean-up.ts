import type { AssemblyStack } from './assembly.ts';
import { report, requestAbout, type Engine } from './engine.ts';
import { ResourceFailure } from './resource-failure.ts';
import type { Resource, Stack } from './stack.ts';

/** A resource that is to go, and why: the reason decides which policy can keep it. */
export interface Garbage {
  readonly resource: Resource;
  readonly why: 'removed' | 'replaced' | 'made in vain' | 'replacement in vain';
}

/**
 * Deletes one resource, or leaves it where its policy says so.
 * @returns the reason of a failed deletion; nothing when the resource is gone or retained.
 */
export async function discard(
  engine: Engine,
  stack: Stack,
  assets: AssemblyStack['assets'],
  { resource, why }: Garbage,
): Promise<string | undefined> {
  if (isRetained(resource, why)) {
    report(engine, stack, resource, 'DELETE_SKIPPED');
    return undefined;
  }
  report(engine, stack, resource, 'DELETE_IN_PROGRESS');
  try {
    await engine.handlerFor(resource.type).delete(requestAbout(stack, resource, assets));
  } catch (error) {
    if (!(error instanceof ResourceFailure)) {
      throw error;
    }
    report(engine, stack, resource, 'DELETE_FAILED', error.message);
    return error.message;
  }
  report(engine, stack, resource, 'DELETE_COMPLETE');
  return undefined;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html */
function isRetained({ deletionPolicy, updateReplacePolicy }: Resource, why: Garbage['why']): boolean {
  switch (why) {
    case 'removed':
      return deletionPolicy === 'Retain' || deletionPolicy === 'RetainExceptOnCreate';
    case 'made in vain':
      return deletionPolicy === 'Retain';
    case 'replaced':
      return updateReplacePolicy === 'Retain';
    case 'replacement in vain':
      return false;
  }
  return why satisfies never;
}
