import type { GateAnswer } from './answer.ts';
import { errorOf, failureOf, resultOf, success } from './answers.ts';
import type { Asked } from './ask-runner.ts';

/** A revert never fails a stack: what could not be taken back is kept. */
export function reverted(asked: Asked): GateAnswer {
  const result = resultOf(asked);
  if (result === null || errorOf(asked) !== null) {
    return success(`Not reverted; the database is kept as it is. ${failureOf(asked).reason}`, {});
  }
  const ids = result.steps.map(({ migration }) => migration);
  return success(
    ids.length === 0
      ? 'Nothing to revert: nothing that was applied from here stands.'
      : `Reverted, newest first: ${ids.slice(0, 10).join(', ')}${ids.length > 10 ? ' and more' : ''}.`,
    {},
  );
}

export const kept = (why: string): GateAnswer =>
  success(`Not reverted: ${why}. The database is kept as it is.`, {});
