import { isAfterApp } from './after-app.ts';
import type { GateAnswer } from './answer.ts';
import { success } from './answers.ts';
import { readProperties } from './properties.ts';
import type { GateRequest } from './request.ts';
import { kept, reverted } from './reverted.ts';
import { stackStatus } from './stack-status.ts';
import { stopWorker } from './stop-worker.ts';
import { answerBy, askRevert, ownerOf, workOn, type GateContext } from './work.ts';

/**
 * A deletion keeps the database and asks no runner, unless the user asked for more and the whole stack goes: a resource is also
 * deleted when its construct was renamed, and then the schema under the live app must stay.
 */
export async function onDelete(asked: GateRequest, context: GateContext): Promise<GateAnswer> {
  const properties = readProperties(asked.ResourceProperties);
  // Of two phases the first takes all back, when the app that needs them is gone, and stops the worker of both.
  if (properties !== null && isAfterApp(properties)) return success('The database is kept as it is.', {});
  const stopped = await stopWorker(asked.ResourceProperties, answerBy(asked, context));
  if (properties?.OnDelete !== 'revert') return success(`The database is kept as it is.${stopped}`, {});
  const status = await stackStatus(asked.StackId, answerBy(asked, context));
  if (status !== 'DELETE_IN_PROGRESS') {
    return kept(
      status === null ? 'the state of the stack could not be read' : 'the stack itself is not being deleted',
    );
  }
  const owners = [ownerOf(asked, asked.LogicalResourceId)];
  return reverted(
    await askRevert(workOn(asked, properties, context), { owners, sinceMs: 0, everything: true }),
  );
}
