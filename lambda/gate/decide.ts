import {
  CONTRACT_VERSION,
  SECONDS,
  type Attributes,
  type DeployContext,
  type GateAsk,
  type MigrationsProperties,
  type Surroundings,
  type Target,
  type Verdict,
} from '../contract.ts';
import type { GateAnswer } from './answer.ts';
import { askRunner, type Asked } from './ask-runner.ts';
import { askedAt, type GateRequest } from './request.ts';
import { isRollingBack } from './stack-status.ts';

/** Between the runner's answer and the gate's. */
const ANSWER_MARGIN_MS = 5_000;

interface GateContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** Turns a request into an answer. Every path ends in one, in bounded time. */
export async function decide(asked: GateRequest, context: GateContext): Promise<GateAnswer> {
  if (asked.RequestType === 'Delete') return success('The database is kept as it is.', {});
  const properties = readProperties(asked.ResourceProperties);
  if (properties === null) return unreadable(asked);
  const work = { asked, properties, requestId: context.awsRequestId, answerByMs: answerBy(asked, context) };

  const first = await askUp(work, { yieldToOwnRun: true });
  const done = successOf(first, properties);
  if (done !== null && !looksLikeRollback(work, first)) return done;

  const rollingBack = asked.RequestType === 'Update' ? await isRollingBack(asked.StackId) : false;
  // A rollback must not be blocked: where nobody can say, what can only be a rollback or an older release counts as one.
  if (rollingBack === true || (rollingBack === null && isAmbiguous(first))) return afterRollback(work);
  if (done !== null) return done;
  if (isOvertaken(first)) {
    const second = await askUp(work, { yieldToOwnRun: false });
    return successOf(second, properties) ?? failureOf(second);
  }
  return isAmbiguous(first) ? olderRelease(first, work) : failureOf(first);
}

/** The gate's own end, or the moment at which CloudFormation stops waiting, whichever comes first; less the answer's time. */
function answerBy(asked: GateRequest, context: GateContext): number {
  const askedMs = askedAt(asked) ?? Infinity;
  const endMs = Math.min(
    Date.now() + context.getRemainingTimeInMillis(),
    askedMs + SECONDS.serviceTimeout * 1000,
  );
  return endMs - SECONDS.answer * 1000;
}

/**
 * The migrations changed and yet there was nothing to do: so it is when a rollback meets a forward run that has not begun
 * to write. That run must be fenced too.
 */
function looksLikeRollback({ asked, properties }: Work, first: Asked): boolean {
  const { OldResourceProperties: old } = asked;
  if (asked.RequestType !== 'Update' || old === undefined || old.Digest === properties.Digest) return false;
  return first.kind === 'answered' && 'result' in first.answer && first.answer.result.steps.length === 0;
}

interface Work {
  readonly asked: GateRequest;
  readonly properties: MigrationsProperties;
  readonly requestId: string;
  readonly answerByMs: number;
}

function askUp(work: Work, { yieldToOwnRun }: { readonly yieldToOwnRun: boolean }): Promise<Asked> {
  const { properties } = work;
  return ask(work, '', (deploy) => ({
    action: 'up',
    atomic: properties.Atomic,
    target: targetOf(properties),
    deploy,
    yieldToOwnRun,
    ...surroundingsOf(properties),
  }));
}

function askSettle(work: Work): Promise<Asked> {
  return ask(work, '/settle', (deploy) => ({ action: 'settle', target: targetOf(work.properties), deploy }));
}

/** The first ask leaves time for a second one; a second one may use it. */
function ask(work: Work, step: string, payload: (deploy: DeployContext) => GateAsk): Promise<Asked> {
  const { properties, answerByMs } = work;
  const lastMs = answerByMs - ANSWER_MARGIN_MS;
  return askRunner(
    properties.RunnerArn,
    (turn) => {
      const spareMs = turn === 0 ? SECONDS.askAgain * 1000 : 0;
      const deadlineMs = Math.min(Date.now() + runnerSeconds(properties) * 1000, lastMs - spareMs);
      return payload(deployContext(work, step, deadlineMs));
    },
    answerByMs,
  );
}

/** What the deploy allows, within what the time table allows. */
function runnerSeconds({ Timeout }: MigrationsProperties): number {
  const allowed = Number(Timeout);
  return allowed > 0 ? Math.min(allowed, SECONDS.runner) : SECONDS.runner;
}

function surroundingsOf({ Environment, Params }: MigrationsProperties): Surroundings {
  return {
    ...(Environment === undefined ? {} : { environment: Environment }),
    // The construct wrote it as JSON, because CloudFormation turns every number and boolean of a property into text.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    ...(Params === undefined ? {} : { params: JSON.parse(Params) as Record<string, unknown> }),
  };
}

/** The request's properties, if they are ours and of a contract that this gate knows. */
function readProperties(given: Partial<MigrationsProperties>): MigrationsProperties | null {
  const names: readonly (keyof MigrationsProperties)[] = [
    'RunnerArn',
    'Head',
    'Digest',
    'DeployId',
    'ClusterArn',
    'SecretArn',
    'Database',
    'History',
  ];
  if (given.ContractVersion !== CONTRACT_VERSION) return null;
  if (!names.every((name) => typeof given[name] === 'string' && given[name] !== '')) return null;
  // Every member was looked at; Atomic and OnRollback are written by the same construct and have defaults in the runner.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return given as MigrationsProperties;
}

/**
 * A gate is always deployed before the properties that need it, so newer properties can only come from a rollback of an
 * upgrade of Forerun itself: the database is kept and the rollback goes on.
 */
async function unreadable(asked: GateRequest): Promise<GateAnswer> {
  const version = asked.ResourceProperties.ContractVersion ?? 'none';
  const newer = asked.RequestType === 'Update' && Number(version) > Number(CONTRACT_VERSION);
  if (newer && (await isRollingBack(asked.StackId)) !== false) {
    return success(
      `These properties (contract ${version}) are newer than this gate; the database is kept as it is.`,
      attributes(asked.ResourceProperties),
    );
  }
  return failed(
    `The properties of this resource (contract ${version}) are not the ones this gate reads (contract ${CONTRACT_VERSION}).`,
    'The database was not touched.',
    'Let the construct Migrations write them, and deploy the whole stack again.',
  );
}

function deployContext(
  { asked, properties, requestId }: Work,
  step: string,
  runnerByMs: number,
): DeployContext {
  const owner = `${asked.StackId}/${asked.LogicalResourceId}`;
  return {
    deployId: properties.DeployId,
    digest: properties.Digest,
    owner,
    // Lambda repeats an event under the same request id; CloudFormation may repeat its RequestId on a later deploy.
    runKey: `${requestId}/${owner}${step}`,
    deadlineMs: Math.max(runnerByMs, Date.now() + 1_000),
    askedAtMs: askedAt(asked),
  };
}

function targetOf({ ClusterArn, SecretArn, Database, History }: MigrationsProperties): Target {
  return { clusterArn: ClusterArn, secretArn: SecretArn, database: Database, history: History };
}

function successOf(asked: Asked, properties: MigrationsProperties): GateAnswer | null {
  if (asked.kind !== 'answered' || !('result' in asked.answer) || asked.answer.result.error !== null)
    return null;
  const { steps, outcome } = asked.answer.result;
  const applied = steps.filter((step) => step.outcome === 'applied').map(({ migration }) => migration);
  const what = applied.length === 0 ? 'Nothing to do' : `Applied ${applied.length}`;
  return success(`${what}; the database is at ${properties.Head}.`, {
    ...attributes(properties),
    Outcome: outcome,
    Applied: String(applied.length),
    Ahead: '',
    Compatible: 'yes',
  });
}

const isOvertaken = (asked: Asked): boolean => asked.kind === 'answered' && 'overtaken' in asked.answer;

/** Ends that a rollback and an older release have in common. */
function isAmbiguous(asked: Asked): boolean {
  return isOvertaken(asked) || errorOf(asked)?.code === 'plan-ahead';
}

function errorOf(asked: Asked) {
  if (asked.kind !== 'answered') return null;
  const { answer } = asked;
  if ('result' in answer) return answer.result.error;
  return 'error' in answer ? answer.error : null;
}

/** Raises the fence over whoever still works, then lets the rollback go on whatever was found. */
async function afterRollback(work: Work): Promise<GateAnswer> {
  const settled = await askSettle(work);
  const verdict = verdictOf(settled);
  return success(`Rolled back; the database is kept as it is. ${standingText(settled)}`, {
    ...attributes(work.properties),
    ...standingOf(verdict),
  });
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

function verdictOf(asked: Asked): Verdict | null {
  return asked.kind === 'answered' && 'verdict' in asked.answer ? asked.answer.verdict : null;
}

function standingText(settled: Asked): string {
  const verdict = verdictOf(settled);
  if (verdict === null) return `Where it stands could not be read: ${failureOf(settled).reason}`;
  return verdictText(verdict);
}

function verdictText(verdict: Verdict): string {
  if (verdict.ahead === null) return 'Where it stands could not be read in time.';
  if (verdict.ahead.length === 0) return 'It is where this release expects it.';
  const ids = verdict.ahead.slice(0, 5).join(', ');
  return `It is ahead of this release by ${verdict.ahead.length} (${ids}); this release works with it: ${verdict.compatible}.`;
}

/** Every success has every attribute: a missing one fails the output that reads it, and with it a rollback. */
function attributes({
  Head = 'unknown',
  DeployId = 'unknown',
}: Partial<MigrationsProperties>): Record<keyof Attributes, string> {
  return { Head, DeployId, Outcome: 'not-run', Applied: '0', Ahead: 'unknown', Compatible: 'unknown' };
}

function standingOf(verdict: Verdict | null): Pick<Attributes, 'Ahead' | 'Compatible'> {
  return {
    Ahead: verdict?.ahead?.join(',').slice(0, 512) ?? 'unknown',
    Compatible: verdict?.compatible ?? 'unknown',
  };
}

function failureOf(asked: Asked): GateAnswer {
  const error = errorOf(asked);
  if (asked.kind === 'answered') {
    if (error === null)
      return failed(
        'The runner gave an answer that the gate does not know.',
        'Look into the journal (action status) for what was applied.',
        'Deploy again.',
      );
    const statement = error.place.sql === undefined ? '' : ` Statement: ${error.place.sql}.`;
    return failed(
      error.text.what,
      error.text.state,
      `${error.text.next.replaceAll(/\brun again\b/g, 'deploy again')}${statement} Log: ${asked.answer.log}.`,
    );
  }
  if (asked.kind === 'crashed') {
    return failed(
      `${capital(asked.message)}.`,
      'What was not committed is rolled back; the journal knows what was (action status).',
      'Look into the log of the runner function, mend the cause, and deploy again.',
    );
  }
  return failed(
    `${capital(asked.message)}.`,
    asked.started
      ? 'Whether migrations were applied is not known here; the journal knows (action status).'
      : 'The database was not touched.',
    'Deploy again; a run that is still working is waited for, never repeated.',
  );
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const success = (reason: string, data: GateAnswer['data']): GateAnswer => ({
  status: 'SUCCESS',
  reason,
  data,
});

const failed = (what: string, state: string, next: string): GateAnswer => ({
  status: 'FAILED',
  reason: `${what} ${state} ${next}`,
  data: {},
});
