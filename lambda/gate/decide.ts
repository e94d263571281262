import { CONTRACT_VERSION, UNDO_RESOURCE_TYPE, type MigrationsProperties } from '../contract.ts';
import { isAfterApp, leftOver } from './after-app.ts';
import type { GateAnswer } from './answer.ts';
import { afterRollback } from './after-rollback.ts';
import { appliedBy, attributes, errorOf, failed, failureOf, resultOf, success } from './answers.ts';
import type { Asked } from './ask-runner.ts';
import { onDelete } from './on-delete.ts';
import { flawOf, readProperties } from './properties.ts';
import type { GateRequest } from './request.ts';
import type { HandedOn } from './handed-on.ts';
import { goOnLong, HANDED_ON, mayGoOn, waitForWorker } from './long-work.ts';
import { isRollingBack } from './stack-status.ts';
import { decideUndo } from './undo.ts';
import { shown, standingOf, standingText, verdictOf } from './verdict.ts';
import { answerBy, askSettle, askUp, workOn, type GateContext, type Work } from './work.ts';

/** Turns a request into an answer, in bounded time. Null when the gate's next invocation gives it. */
export async function decide(
  asked: GateRequest,
  context: GateContext,
  handedOn: HandedOn | null,
): Promise<GateAnswer | null> {
  if (asked.RequestType === 'unknown') return unknownType();
  if (asked.ResourceType === UNDO_RESOURCE_TYPE) return decideUndo(asked, context);
  if (asked.RequestType === 'Delete') return onDelete(asked, context);
  const properties = readProperties(asked.ResourceProperties);
  if (properties === null) return unreadable(asked, answerBy(asked, context));
  const work = workOn(asked, properties, context, handedOn?.requestId);
  if (handedOn !== null)
    return afterWorker(await waitForWorker(work, handedOn.execution, handedOn.hop), work);

  const known = mayComeFromRollback(work) ? await isRollingBack(asked.StackId, work.answerByMs) : null;
  if (known === true) return afterRollback(work);
  if (known === null && isAfterApp(properties) && asked.RequestType === 'Update') {
    return leftOver(
      properties,
      'Whether the stack is rolled back could not be asked, and in a rollback nothing may be applied: the migrations after the app were not started.',
    );
  }

  const first = await askForward(work);
  const { WorkerArn: workerArn } = properties;
  if (workerArn !== undefined && mayGoOn(first, work)) {
    return afterWorker(await goOnLong(first, work, workerArn), work);
  }
  const done = successOf(first, properties);
  if (done !== null) return done;
  // What was seen before may be a moment old: a rollback that had just begun must not end as a refused older release.
  const askAgain = asked.RequestType === 'Update' && (known === null || mayBeRollback(first));
  const rollingBack = askAgain ? await isRollingBack(asked.StackId, work.answerByMs) : false;
  if (rollingBack === true || (rollingBack === null && mayBeRollback(first))) return afterRollback(work);
  if (isOvertaken(first)) {
    const second = await askUp(work, { yieldToOwnRun: false });
    return successOf(second, properties) ?? failureOf(second);
  }
  return errorOf(first)?.code === 'plan-ahead' ? olderRelease(first, work) : failureOf(first);
}

/**
 * What the worker came to. A rollback that begins meanwhile has an event of its own, which stops the worker; what is said here
 * then is said to nobody.
 */
function afterWorker(end: Asked | typeof HANDED_ON, { properties }: Work): GateAnswer | null {
  return end === HANDED_ON ? null : (successOf(end, properties) ?? failureOf(end));
}

/** A statement that outlasts the runner is waited for once more, with the time that was kept for a lost connection. */
async function askForward(work: Work): Promise<Asked> {
  const first = await askUp(work, { yieldToOwnRun: true });
  const isAtWork = errorOf(first)?.code === 'statement-running';
  if (!isAtWork || work.properties.Timeout !== undefined) return first;
  return askUp(work, { yieldToOwnRun: true, last: true });
}

/**
 * The migrations are others than those of the release before: only such a rollback has anything to settle. It is asked for
 * before the runner is, because in a rollback nothing may be applied: neither what was reverted by hand, nor an older view, nor
 * what an earlier deploy has left to do once the app is live.
 */
function mayComeFromRollback({ asked, properties }: Work): boolean {
  const { OldResourceProperties: old } = asked;
  if (asked.RequestType !== 'Update') return false;
  return isAfterApp(properties) || (old !== undefined && old.Digest !== properties.Digest);
}

const unknownType = (): GateAnswer =>
  failed(
    'The request is neither a Create, nor an Update, nor a Delete.',
    'Nothing was done.',
    'Deploy again, with the release of Forerun that knows such a request.',
  );

/**
 * A gate is always deployed before the properties that need it, so newer properties can only come from a rollback of an
 * upgrade of Forerun itself: the database is kept and the rollback goes on, as it does with any properties.
 */
async function unreadable(asked: GateRequest, answerByMs: number): Promise<GateAnswer> {
  const { ContractVersion: given } = asked.ResourceProperties;
  const version = typeof given === 'string' && /^\d{1,9}$/.test(given) ? given : 'none';
  const rollingBack = asked.RequestType === 'Update' ? await isRollingBack(asked.StackId, answerByMs) : false;
  const newer = Number(version) > Number(CONTRACT_VERSION);
  if (rollingBack === true || (rollingBack === null && newer)) {
    return success(
      `These properties (contract ${version}) are not the ones this gate reads; the database is kept as it is.`,
      attributes(asked.ResourceProperties),
    );
  }
  return failed(
    `The properties of this resource (contract ${version}) are not the ones this gate reads (contract ${CONTRACT_VERSION}): ${flawOf(asked.ResourceProperties) ?? 'nothing'} is not as the construct writes it.`,
    'The database was not touched.',
    'Let the construct Migrations write them, and deploy the whole stack again.',
  );
}

function successOf(asked: Asked, properties: MigrationsProperties): GateAnswer | null {
  const result = resultOf(asked);
  if (result === null || result.error !== null) return null;
  const applied = appliedBy(asked);
  const { waiting = [] } = result;
  const what = applied.length === 0 ? 'Nothing to do' : `Applied ${applied.length}`;
  const where =
    waiting.length === 0
      ? `the database is at ${properties.Head}`
      : `the database is ready for ${properties.Head}; once the app is live: ${shown(waiting)}`;
  return success(`${what}; ${where}.`, {
    ...attributes(properties),
    Outcome: result.outcome,
    Applied: String(applied.length),
    Ahead: '',
    Compatible: 'yes',
  });
}

const isOvertaken = (asked: Asked): boolean => asked.kind === 'answered' && 'overtaken' in asked.answer;

/**
 * Ends that a rollback has in common with an older release or a release that lost a file. Where nobody can say which it is, it
 * counts as a rollback: nothing was done, and a rollback must not be blocked.
 */
function mayBeRollback(asked: Asked): boolean {
  const code = errorOf(asked)?.code;
  return isOvertaken(asked) || code === 'plan-ahead' || code === 'plan-missing' || code === 'plan-half-done';
}

/**
 * An older release on purpose: let in where nothing of its own is missing in the database, and the migrations that it does
 * not know say that it works with them.
 */
async function olderRelease(first: Asked, work: Work): Promise<GateAnswer> {
  const settled = await askSettle(work);
  const verdict = verdictOf(settled);
  if (verdict?.compatible !== 'yes' || verdict.pending.length > 0) return failureOf(first);
  return success(`An older release. ${standingText(settled)}`, {
    ...attributes(work.properties),
    ...standingOf(verdict),
  });
}
