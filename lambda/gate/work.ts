import {
  SECONDS,
  serviceTimeoutFor,
  type DeployContext,
  type GateAsk,
  type MigrationsProperties,
  type RunnerAnswer,
  type Surroundings,
  type Target,
} from '../contract.ts';
import { paramsFrom } from '../deploy-params.ts';
import { askRunner, type Asked } from './ask-runner.ts';
import { isAfterApp } from './after-app.ts';
import { askedAt, type GateRequest, type GivenProperties } from './request.ts';

/** Between the runner's answer and the gate's. */
const ANSWER_MARGIN_MS = 5_000;

export interface GateContext {
  readonly awsRequestId: string;
  readonly invokedFunctionArn: string;
  getRemainingTimeInMillis(): number;
  /** Told of each answer of the runner; Lambda's own context has none of it. */
  readonly heard?: (answer: RunnerAnswer) => void;
}

/** What the undo resource and the resources that hold the deploy tell alike. */
export type RunnerProperties = Omit<MigrationsProperties, 'Atomic' | 'OnRollback' | 'OnDelete'>;

/** One request, and until when it must be answered. */
export interface Work<Properties extends RunnerProperties = MigrationsProperties> {
  readonly asked: GateRequest;
  readonly properties: Properties;
  /** Of the gate's first invocation for this request. */
  readonly requestId: string;
  /** The gate itself. */
  readonly ownArn: string;
  /** When Lambda ends this invocation. */
  readonly ownEndMs: number;
  /** When CloudFormation stops waiting. */
  readonly patienceEndMs: number;
  readonly answerByMs: number;
  readonly heard: (answer: RunnerAnswer) => void;
}

export function workOn<Properties extends RunnerProperties>(
  asked: GateRequest,
  properties: Properties,
  context: GateContext,
  requestId: string = context.awsRequestId,
): Work<Properties> {
  return {
    asked,
    properties,
    requestId,
    ownArn: context.invokedFunctionArn,
    ownEndMs: Date.now() + context.getRemainingTimeInMillis(),
    patienceEndMs: patienceEnd(asked),
    answerByMs: answerBy(asked, context),
    heard: (answer) => context.heard?.(answer),
  };
}

/** Milliseconds since 1970; never where the request does not tell when it was made. */
export function patienceEnd(asked: GateRequest): number {
  return (askedAt(asked) ?? Infinity) + serviceTimeoutFor(timeoutOf(asked.ResourceProperties)) * 1000;
}

/** Seconds; undefined where the deploy sets none that makes sense. */
function timeoutOf({ Timeout }: GivenProperties): number | undefined {
  const seconds = typeof Timeout === 'string' ? Number(Timeout) : 0;
  return seconds > 0 ? seconds : undefined;
}

/** The gate's own end, or the moment at which CloudFormation stops waiting, whichever comes first; less the answer's time. */
export function answerBy(asked: GateRequest, context: GateContext): number {
  const endMs = Math.min(Date.now() + context.getRemainingTimeInMillis(), patienceEnd(asked));
  return endMs - SECONDS.answer * 1000;
}

interface UpOptions {
  readonly yieldToOwnRun: boolean;
  /** It is not asked again after this one, so it may use the time kept for that. */
  readonly last?: boolean;
}

export function askUp(work: Work, { yieldToOwnRun, last = false }: UpOptions): Promise<Asked> {
  return ask(work, { step: '', last }, (deploy) => upWith(work, deploy, yieldToOwnRun));
}

function upWith({ properties }: Work, deploy: DeployContext, yieldToOwnRun: boolean) {
  return {
    action: 'up',
    atomic: properties.Atomic,
    ...(isAfterApp(properties) ? { phase: 'after' } : {}),
    target: targetOf(properties),
    deploy,
    yieldToOwnRun,
    ...surroundingsOf(properties),
  } as const satisfies GateAsk;
}

/** What the worker asks, slice after slice, for as long as the deploy allows. Equal however often it is made. */
export function longAsk(work: Work) {
  const { asked, properties, patienceEndMs } = work;
  const beganMs = askedAt(asked) ?? Date.now();
  const allowedMs = (timeoutOf(properties) ?? SECONDS.runner) * 1000;
  const untilMs = Math.min(beganMs + allowedMs, patienceEndMs - SECONDS.afterWorker * 1000);
  return upWith(work, deployContext(work, '/worker', untilMs), false);
}

/** arn:aws:lambda:<region>:<account>:function:<name>:<version> */
export const runnerName = ({ RunnerArn }: RunnerProperties): string => RunnerArn.split(':')[6] ?? '';

export function askSettle(work: Work): Promise<Asked> {
  const { properties } = work;
  return ask(work, { step: '/settle', last: false }, (deploy) => ({
    action: 'settle',
    target: targetOf(properties),
    deploy,
  }));
}

interface RevertOptions {
  readonly owners: readonly string[];
  readonly sinceMs: number;
  readonly everything?: boolean;
}

/** Takes back what runs of these owners have applied since a moment, or everything. */
export function askRevert(
  work: Work<RunnerProperties>,
  { owners, sinceMs, everything = false }: RevertOptions,
): Promise<Asked> {
  const { properties } = work;
  return ask(work, { step: '/revert', last: false }, (deploy) => ({
    action: 'revert',
    target: targetOf(properties),
    deploy,
    owners: [...owners],
    sinceMs,
    ...(everything ? { everything } : {}),
    ...surroundingsOf(properties),
  }));
}

/** The first ask leaves time for a second one; a second one may use it. */
async function ask(
  work: Work<RunnerProperties>,
  { step, last }: { readonly step: string; readonly last: boolean },
  payload: (deploy: DeployContext) => GateAsk,
): Promise<Asked> {
  const { properties, answerByMs, heard } = work;
  const lastMs = answerByMs - ANSWER_MARGIN_MS;
  const asked = await askRunner(
    properties.RunnerArn,
    (turn) => {
      const spareMs = turn === 0 && !last ? SECONDS.askAgain * 1000 : 0;
      const wantedMs = Math.min(Date.now() + runnerSeconds(properties) * 1000, lastMs - spareMs);
      const deadlineMs = Math.max(wantedMs, Date.now() + 1_000);
      return payload(deployContext(work, step, deadlineMs));
    },
    answerByMs,
  );
  if (asked.kind === 'answered') heard(asked.answer);
  return asked;
}

/** What the deploy allows, within what the time table allows for one call. */
const runnerSeconds = (properties: RunnerProperties): number =>
  Math.min(timeoutOf(properties) ?? SECONDS.runner, SECONDS.runner);

function surroundingsOf({ Environment, Params, ParamTexts }: RunnerProperties): Surroundings {
  // As JSON, because CloudFormation turns every number and boolean of a property into text.
  const params = Params === undefined ? null : paramsFrom(Params, ParamTexts);
  return {
    ...(Environment === undefined ? {} : { environment: Environment }),
    ...(params === null ? {} : { params }),
  };
}

function deployContext(
  { asked, properties, requestId }: Work<RunnerProperties>,
  step: string,
  runnerByMs: number,
): DeployContext {
  const owner = ownerOf(asked, properties.RunsAs ?? asked.LogicalResourceId);
  return {
    deployId: properties.DeployId,
    ...(properties.Commit === undefined ? {} : { commit: properties.Commit }),
    digest: properties.Digest,
    owner,
    // Lambda repeats an event under the same request id; CloudFormation may repeat its RequestId on a later deploy.
    runKey: `${requestId}/${owner}${step}`,
    deadlineMs: runnerByMs,
    askedAtMs: askedAt(asked),
  };
}

/** As whom a resource of the asking stack runs. */
export const ownerOf = ({ StackId }: GateRequest, logicalId: string): string => `${StackId}/${logicalId}`;

function targetOf({ ClusterArn, SecretArn, Database, History }: RunnerProperties): Target {
  return { clusterArn: ClusterArn, secretArn: SecretArn, database: Database, history: History };
}
