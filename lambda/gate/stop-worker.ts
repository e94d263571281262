import { stopExecutions } from '../executions.ts';
import type { GivenProperties } from './request.ts';

const PATIENCE_MS = 20_000;

/**
 * Stops the executions of a worker version that is about to be deleted: its deletion would wait for them. What they worked on
 * stands in the journal, and a later release goes on with it. Gives back a sentence for the answer, or nothing to say.
 */
export async function stopWorker({ WorkerArn }: GivenProperties, answerByMs: number): Promise<string> {
  if (typeof WorkerArn !== 'string') return '';
  const stopped = await stopExecutions(WorkerArn, Math.min(answerByMs, Date.now() + PATIENCE_MS));
  if (typeof stopped === 'string') {
    return ` Its worker could not be stopped (${stopped}): CloudFormation waits for it when it deletes it.`;
  }
  return stopped === 0
    ? ''
    : ` Its worker was stopped; unfinished backfills wait for the next release that holds them.`;
}
