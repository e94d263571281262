import {
  SECONDS,
  type DeployContext,
  type GateAsk,
  type MigrationsProperties,
  type Surroundings,
  type Target,
} from '../contract.ts';
import { askRunner, type Asked } from './ask-runner.ts';
import { isAfterApp } from './after-app.ts';
import { askedAt, type GateRequest } from './request.ts';

/** Between the runner's answer and the gate's. */
const ANSWER_MARGIN_MS = 5_000;

export interface GateContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/** What the undo resource and the resources that hold the deploy tell alike. */
export type RunnerProperties = Omit<MigrationsProperties, 'Atomic' | 'OnRollback' | 'OnDelete'>;

/** One request, and until when it must be answered. */
export interface Work<Properties extends RunnerProperties = MigrationsProperties> {
  readonly asked: GateRequest;
  readonly properties: Properties;
  readonly requestId: string;
  readonly answerByMs: number;
}

export function workOn<Properties extends RunnerProperties>(
  asked: GateRequest,
  properties: Properties,
  context: GateContext,
): Work<Properties> {
  return { asked, properties, requestId: context.awsRequestId, answerByMs: answerBy(asked, context) };
}

/** The gate's own end, or the moment at which CloudFormation stops waiting, whichever comes first; less the answer's time. */
export function answerBy(asked: GateRequest, context: GateContext): number {
  const askedMs = askedAt(asked) ?? Infinity;
  const endMs = Math.min(
    Date.now() + context.getRemainingTimeInMillis(),
    askedMs + SECONDS.serviceTimeout * 1000,
  );
  return endMs - SECONDS.answer * 1000;
}

interface UpOptions {
  readonly yieldToOwnRun: boolean;
  /** It is not asked again after this one, so it may use the time kept for that. */
  readonly last?: boolean;
}

export function askUp(work: Work, { yieldToOwnRun, last = false }: UpOptions): Promise<Asked> {
  const { properties } = work;
  const payload = (deploy: DeployContext): GateAsk => ({
    action: 'up',
    atomic: properties.Atomic,
    ...(isAfterApp(properties) ? { phase: 'after' } : {}),
    target: targetOf(properties),
    deploy,
    yieldToOwnRun,
    ...surroundingsOf(properties),
  });
  return ask(work, { step: '', last }, payload);
}

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
function ask(
  work: Work<RunnerProperties>,
  { step, last }: { readonly step: string; readonly last: boolean },
  payload: (deploy: DeployContext) => GateAsk,
): Promise<Asked> {
  const { properties, answerByMs } = work;
  const lastMs = answerByMs - ANSWER_MARGIN_MS;
  return askRunner(
    properties.RunnerArn,
    (turn) => {
      const spareMs = turn === 0 && !last ? SECONDS.askAgain * 1000 : 0;
      const deadlineMs = Math.min(Date.now() + runnerSeconds(properties) * 1000, lastMs - spareMs);
      return payload(deployContext(work, step, deadlineMs));
    },
    answerByMs,
  );
}

/** What the deploy allows, within what the time table allows. */
function runnerSeconds({ Timeout }: RunnerProperties): number {
  const allowed = Number(Timeout);
  return allowed > 0 ? Math.min(allowed, SECONDS.runner) : SECONDS.runner;
}

function surroundingsOf({ Environment, Params }: RunnerProperties): Surroundings {
  return {
    ...(Environment === undefined ? {} : { environment: Environment }),
    // The construct wrote it as JSON, because CloudFormation turns every number and boolean of a property into text.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    ...(Params === undefined ? {} : { params: JSON.parse(Params) as Record<string, unknown> }),
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
    digest: properties.Digest,
    owner,
    // Lambda repeats an event under the same request id; CloudFormation may repeat its RequestId on a later deploy.
    runKey: `${requestId}/${owner}${step}`,
    deadlineMs: Math.max(runnerByMs, Date.now() + 1_000),
    askedAtMs: askedAt(asked),
  };
}

/** As whom a resource of the asking stack runs. */
export const ownerOf = ({ StackId }: GateRequest, logicalId: string): string => `${StackId}/${logicalId}`;

function targetOf({ ClusterArn, SecretArn, Database, History }: RunnerProperties): Target {
  return { clusterArn: ClusterArn, secretArn: SecretArn, database: Database, history: History };
}
