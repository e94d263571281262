import type { MigrationsProperties, Verdict } from '../contract.ts';
import { isAfterApp } from './after-app.ts';
import type { GateAnswer } from './answer.ts';
import { attributes, failed, success } from './answers.ts';
import { stopWorker } from './stop-worker.ts';
import { isKnownToWork, standingOf, standingText, verdictOf } from './verdict.ts';
import { askSettle, type Work } from './work.ts';

/** Raises the fence over whoever still works; then the rollback goes on, unless the failed release asked it to stop. */
export async function afterRollback(work: Work): Promise<GateAnswer> {
  const settled = await askSettle(work);
  const { OldResourceProperties: newer = {} } = work.asked;
  // Where nothing changed but the app, the worker of the failed release is the one of the old release too.
  const isReplaced = newer.WorkerArn !== work.properties.WorkerArn;
  const stopped = isReplaced ? await stopWorker(newer, work.answerByMs) : '';
  const verdict = verdictOf(settled);
  const mode = modeOf(work);
  if (mode === 'fail' && !isKnownToWork(verdict)) return halted(work, standingText(settled));
  const promise =
    mode === 'revert' && isAhead(verdict)
      ? ' What this deploy applied is reverted once the old app is live again.'
      : '';
  return success(`Rolled back; the database is kept as it is. ${standingText(settled)}${promise}${stopped}`, {
    ...attributes(work.properties),
    ...standingOf(verdict),
  });
}

/**
 * The release that failed says how it wants to be taken back; a word that this gate does not know counts as `keep`. Of two phases
 * the first decides for both.
 */
function modeOf({ asked, properties }: Work): MigrationsProperties['OnRollback'] {
  if (isAfterApp(properties)) return 'keep';
  const mode = asked.OldResourceProperties?.OnRollback ?? properties.OnRollback;
  return mode === 'fail' || mode === 'revert' ? mode : 'keep';
}

const isAhead = (verdict: Verdict | null): boolean => verdict?.ahead?.length !== 0;

function halted({ asked, properties }: Work, standing: string): GateAnswer {
  const { LogicalResourceId: resource, OldResourceProperties: newer } = asked;
  const runner = typeof newer?.RunnerArn === 'string' ? newer.RunnerArn : 'of the failed release';
  return failed(
    `The rollback stops here because of onRollback: 'fail'.`,
    `The database is kept as it is. ${standing}`,
    `Either go down to ${properties.Head} with the runner ${runner} and continue the rollback (aws cloudformation continue-update-rollback), or accept it as it is: continue with --resources-to-skip ${resource} (cdk rollback --orphan ${resource}).`,
  );
}
