import type { GateAnswer } from './answer.ts';
import { success } from './answers.ts';
import { readUndoProperties } from './properties.ts';
import { askedAt, type GateRequest } from './request.ts';
import { kept, reverted } from './reverted.ts';
import { stackStatus } from './stack-status.ts';
import { answerBy, askRevert, ownerOf, workOn, type GateContext } from './work.ts';

/**
 * The cleanup after a rollback, when the old app is live again, and the taking back of a stack that never came to be. In any
 * other state the deletion means something else: a later deploy has made another undo resource, or the stack goes.
 */
const MOMENTS_TO_REVERT: ReadonlySet<string | null> = new Set([
  'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS',
  'ROLLBACK_IN_PROGRESS',
]);

const ID = 'forerun-undo-';

/**
 * The undo resource is made before a deploy migrates and remembers that moment in its id. It never fails: at its making there is
 * nothing to do, and its deletion must not block a cleanup.
 */
export async function decideUndo(asked: GateRequest, context: GateContext): Promise<GateAnswer> {
  if (asked.RequestType === 'Create') {
    return {
      ...success('A rollback of this deploy reverts what it applies.', {}),
      physicalId: undoId(asked),
    };
  }
  if (asked.RequestType === 'Update') return success('Nothing to do before a rollback.', {});
  const status = await stackStatus(asked.StackId, answerBy(asked, context));
  if (!MOMENTS_TO_REVERT.has(status)) {
    return kept(
      status === null ? 'the state of the stack could not be read' : `the stack is in the state ${status}`,
    );
  }
  const properties = readUndoProperties(asked.ResourceProperties);
  const sinceMs = momentOf(asked);
  if (properties === null) return kept('its properties are not the ones this gate reads');
  if (sinceMs === null) return kept('nothing tells when the deploy began');
  const owners = properties.Holds.split(',').map((logicalId) => ownerOf(asked, logicalId));
  return reverted(await askRevert(workOn(asked, properties, context), { owners, sinceMs }));
}

/** Where the request does not tell, our own clock does: the deploy migrates only after this answer. */
const undoId = (asked: GateRequest): string => `${ID}${askedAt(asked) ?? Date.now()}`;

function momentOf({ PhysicalResourceId: id = '' }: GateRequest): number | null {
  return /^forerun-undo-\d+$/.test(id) ? Number(id.slice(ID.length)) : null;
}
