import { qualifierOf, refuseBeyondAlias, refuseUnconfirmed } from './admission.ts';
import { authorPlaceFinder } from './author-place.ts';
import { bindMigration, isMigrationDefinition } from './authoring/migration.ts';
import type { Surroundings } from './authoring/surroundings.ts';
import { unreadParams } from './authoring/unread-params.ts';
import { backfillMeter } from './backfill-meter.ts';
import { realClock } from './clock.ts';
import {
  DEFAULT_HISTORY,
  RUNNER_ENVIRONMENT,
  SURROUNDINGS_ENVIRONMENT,
  WORKER_ENVIRONMENT,
  paramTextVariable,
  type AuthorPlaces,
  type DeployContext,
  type RunnerAnswer,
  type Target,
} from './contract.ts';
import { dataApiDatabase } from './data-api/database.ts';
import { paramsFrom } from './deploy-params.ts';
import { amend } from './engine/amend.ts';
import { DatabaseFailure } from './engine/database-failure.ts';
import { ForerunError, UNTOUCHED } from './engine/errors.ts';
import { databaseUnavailable } from './engine/failure-text.ts';
import { pastRuns, plan, status } from './engine/inspect.ts';
import type { RunIdentity } from './engine/journal.ts';
import { DEFAULT_LIMITS } from './engine/limits.ts';
import { BASE, HEAD, type Migration, type Revision } from './engine/migration.ts';
import { errorData, type RunResult } from './engine/outcome.ts';
import type { Ports, RunNote } from './engine/ports.ts';
import type { Goal } from './engine/plan.ts';
import { postgres } from './engine/postgres.ts';
import { revert } from './engine/revert.ts';
import { run } from './engine/run.ts';
import { settle } from './engine/settle.ts';
import { unlock } from './engine/unlock.ts';
import { openLog, type Log } from './log.ts';
import { metered } from './metered.ts';
import { isCountedOnly, noteText } from './note-text.ts';
import { tellEnd, tellVerdict, writeMetrics, type Telling } from './run-end.ts';
import { runMeter } from './run-meter.ts';
import { answerOnBackfills, workAfterRun } from './runner-backfill.ts';
import { handToWorker } from './runner-worker.ts';
import { readRunnerEvent, type RunnerEvent } from './runner-event.ts';
import { hidingOutput } from './secrets/hiding-output.ts';
import { secretReader, type SecretReader } from './secrets/secret-reader.ts';

/** A migration's module with what the build found out about it. */
type BundledMigration = Revision & { readonly definition: unknown };

/** What the generated entry hands over: the history as it was when the bundle was built. */
export interface RunnerBundle {
  readonly digest: string;
  /** In history order. */
  readonly migrations: readonly BundledMigration[];
  /** In the order in which they run after the history. @default none */
  readonly repeatables?: readonly BundledMigration[];
  /** Where in the author's files the parts of the bundle come from. @default nobody knows */
  readonly places?: () => AuthorPlaces;
}

/** The part of Lambda's context that the runner uses. */
export interface RunnerContext {
  readonly awsRequestId: string;
  readonly invokedFunctionArn: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  getRemainingTimeInMillis(): number;
  /** Under which name the metrics are kept, where it is not the function's own: the worker measures for the runner. */
  readonly runnerName?: string;
  /** Version of the worker that goes on with backfills, where the function's environment does not say it. */
  readonly workerArn?: string;
}

/** Kept back from Lambda's own time limit, so that an answer is given before the process ends. */
const ANSWER_RESERVE_MS = 5_000;

/** Makes the Lambda handler of a bundle. Custom resource, person and command line all come in here. */
export function createRunner(bundle: RunnerBundle) {
  return async (event: unknown, context: RunnerContext): Promise<RunnerAnswer> => {
    const place = `${context.logGroupName} ${context.logStreamName}`;
    // Lambda hands an asynchronous event in again under the same request id; an attempt needs one of its own.
    const runId = `${context.awsRequestId}/${crypto.randomUUID().slice(0, 8)}`;
    const secrets = secretReader();
    const log = openLog({ function_request_id: context.awsRequestId, runId }, secrets.hide);
    try {
      const asked = readRunnerEvent(event);
      if ('deploy' in asked && asked.deploy !== undefined) log.append(contextOf(asked.deploy));
      refuseBeyondAlias(asked, context.invokedFunctionArn);
      const desk = { ...bundle, runId, secrets, log, place };
      const answer = await hidingOutput(secrets.hide, () => answerTo(asked, desk, context));
      return { ...answer, log: place, runId };
    } catch (cause) {
      const error = asForerunError(cause);
      log.line('ERROR', error.message, { note: 'refused', code: error.code });
      return { ok: false, action: 'none', error: errorData(error), log: place, runId };
    }
  };
}

/** The alias or version that was invoked: all that Lambda tells of how somebody came here. */
function throughOf({ invokedFunctionArn }: RunnerContext): { readonly through?: string } {
  const through = qualifierOf(invokedFunctionArn);
  return through === undefined ? {} : { through };
}

type Answer = RunnerAnswer extends infer One ? (One extends unknown ? Omit<One, 'log'> : never) : never;

/** What one call works with. */
interface Desk extends RunnerBundle {
  readonly runId: string;
  readonly secrets: SecretReader;
  readonly log: Log;
  /** Where the log is. */
  readonly place: string;
}

async function answerTo(event: RunnerEvent, desk: Desk, context: RunnerContext): Promise<Answer> {
  const { runId, secrets, log, place, ...bundle } = desk;
  const startedMs = Date.now();
  const target = targetOf(event.target ?? {});
  refuseUnconfirmed(event, target.database);
  const surroundings = surroundingsOf(event, secrets);
  const history = bound(bundle.migrations, surroundings);
  const repeatables = bound(bundle.repeatables ?? [], surroundings);
  if (event.action === 'up' || event.action === 'plan') refuseUnread(bundle, surroundings);
  const deploy = 'deploy' in event ? event.deploy : undefined;
  if (deploy !== undefined) refuseStale(deploy, bundle);
  const ownDeadlineMs = Date.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS;
  const deadlineMs = Math.min(ownDeadlineMs, deploy?.deadlineMs ?? ownDeadlineMs);
  const meter = runMeter(startedMs);
  const runner = context.runnerName ?? process.env['AWS_LAMBDA_FUNCTION_NAME'];
  const batches = backfillMeter(runner, log, Date.now);
  const { places } = bundle;
  const authorPlace = places === undefined ? {} : { authorPlace: authorPlaceFinder(places) };
  const ports = { ...metered(portsFor(target, deadlineMs, desk), meter, batches), ...authorPlace };
  const identity = {
    runId,
    runKey: deploy?.runKey ?? null,
    history: target.history,
    deployId: deploy?.deployId ?? null,
    owner: deploy?.owner ?? null,
    digest: bundle.digest,
    ...(typeof deploy?.askedAtMs === 'number' ? { askedAtMs: deploy.askedAtMs } : {}),
    ...(deploy?.commit === undefined ? {} : { commit: deploy.commit }),
    ...('by' in event && event.by !== undefined ? { by: event.by } : {}),
    ...throughOf(context),
  };
  const asker = { identity, history, repeatables };
  const frame = { target, identity, head: history.at(-1)?.id ?? BASE, startedMs, log: place };
  const telling = { meter, log, frame, runner };
  const terms = { history, repeatables, deadlineMs, limits: DEFAULT_LIMITS };
  const operator = {
    history: target.history,
    migrations: history,
    worker: identity.runId,
    limits: DEFAULT_LIMITS,
  };
  const worker = context.workerArn ?? process.env[WORKER_ENVIRONMENT] ?? '';
  switch (event.action) {
    case 'up':
    case 'down': {
      const { action } = event;
      const { environment } = surroundings;
      const goal = {
        direction: action,
        to: event.to,
        atomic: event.atomic,
        ...phaseOf(event),
        ...environment,
      };
      const yieldToOwnRun = action === 'up' && event.yieldToOwnRun;
      const result = await run(
        { ...terms, identity: { ...identity, action }, goal, yieldToOwnRun },
        ports,
        postgres,
      );
      if (result !== 'overtaken' && result.error === null && !result.repeated) {
        const ids = result.backfills ?? [];
        await workAfterRun(ids, operator, deadlineMs, ports);
        await handToWorker(ids, { operator, target, worker, deadlineMs }, ports);
      }
      batches.end();
      return endOf(action, result, telling);
    }
    case 'settle': {
      const settled: RunIdentity & { action: 'settle' } = { ...identity, action: 'settle' };
      const verdict = await settle({ ...terms, identity: settled }, ports, postgres);
      await tellVerdict(verdict, telling);
      return { ok: true, action: 'settle', verdict };
    }
    case 'revert': {
      const { owners, sinceMs, everything } = event;
      const wanted = { ...terms, identity, owners, sinceMs, everything, ...surroundings.environment };
      const hasty = portsFor(target, deadlineMs, desk, { patienceMs: REVERT_PATIENCE_MS });
      return endOf(
        'revert',
        await revert(wanted, { ...metered(hasty, meter), ...authorPlace }, postgres),
        telling,
      );
    }
    case 'unlock': {
      const order = { ...identity, action: event.action, reason: event.reason };
      const unlocked = await unlock(order, ports, postgres);
      log.line('WARN', 'The lease was taken away.', { note: 'unlocked', ...unlocked });
      return { ok: true, action: 'unlock', unlocked };
    }
    case 'stamp':
    case 'repair': {
      const { action, reason } = event;
      const to = event.action === 'stamp' ? event.to : null;
      const request = { ...terms, identity: { ...identity, action }, reason, to };
      const amended = await amend(request, ports, postgres);
      log.line('WARN', 'The journal was amended.', { note: 'amended', ...amended });
      return { ok: true, action, amended };
    }
    case 'status':
      return { ok: true, action: 'status', status: await status(asker, ports.database, postgres) };
    case 'plan': {
      const { direction, to = direction === 'up' ? HEAD : BASE, atomic } = event;
      const goal = { direction, to, atomic, ...phaseOf(event), ...surroundings.environment };
      const planned = await plan(asker, goal, ports.database, postgres);
      return { ok: planned.refusals.length === 0, action: 'plan', plan: planned };
    }
    case 'history':
      return {
        ok: true,
        action: 'history',
        runs: await pastRuns(asker, event.limit, ports.database, postgres),
      };
    case 'backfills':
    case 'backfill':
    case 'pause':
    case 'resume':
    case 'cancel':
    case 'retry':
    case 'tune':
      try {
        const told = await answerOnBackfills(event, operator, deadlineMs, ports);
        if (event.action === 'resume' || event.action === 'retry') {
          await handToWorker([event.backfill], { operator, target, worker, deadlineMs }, ports);
        }
        return told;
      } finally {
        batches.end();
        writeMetrics(meter.ofBackfills(), telling);
      }
  }
}

/** A deploy that names no phase means what comes before its app; a person means all. */
function phaseOf(event: RunnerEvent): Pick<Goal, 'phase'> {
  const asked = 'phase' in event ? event.phase : undefined;
  const phase = asked ?? (event.action === 'up' && event.deploy !== undefined ? 'before' : undefined);
  return phase === undefined ? {} : { phase };
}

async function endOf(
  asked: 'up' | 'down' | 'revert',
  result: RunResult | 'overtaken',
  telling: Telling,
): Promise<Answer> {
  if (result === 'overtaken') return { ok: true, action: 'up', overtaken: true };
  await tellEnd(asked, result, telling);
  return { ok: result.error === null, action: asked === 'up' ? 'up' : 'down', result };
}

/** The deploy in every line; the run key begins with Lambda's id of the gate's invoke. */
const contextOf = ({ deployId, runKey }: DeployContext) => ({
  deployId,
  gateRequestId: runKey.split('/')[0],
});

interface RunSurroundings extends Surroundings {
  /** Empty where nobody said which environment this is. */
  readonly environment: { readonly environment?: string };
}

/** What the event leaves out comes from the function's environment, which serves manual invokes. */
function surroundingsOf(event: RunnerEvent, secrets: SecretReader): RunSurroundings {
  const asked: { readonly environment?: string; readonly params?: unknown } =
    'atomic' in event || event.action === 'revert' ? event : {};
  const environment = asked.environment ?? process.env[SURROUNDINGS_ENVIRONMENT.environment] ?? '';
  return {
    environment: environment === '' ? {} : { environment },
    params: asked.params ?? givenParams(),
    readSecret: (secret) => secrets.read(secret),
  };
}

function givenParams(): unknown {
  const { env } = process;
  const json = env[SURROUNDINGS_ENVIRONMENT.params] ?? '';
  if (json === '') return {};
  const texts: string[] = [];
  for (
    let text = env[paramTextVariable(0)];
    text !== undefined;
    text = env[paramTextVariable(texts.length)]
  ) {
    texts.push(text);
  }
  const params = paramsFrom(json, texts.length === 0 ? undefined : texts);
  if (params !== null) return params;
  throw new ForerunError('input-invalid', {
    what: `The variable ${SURROUNDINGS_ENVIRONMENT.params} of the runner is not as the construct writes it.`,
    state: UNTOUCHED,
    next: 'Deploy again, or give "params" in the event.',
  });
}

/** A revert follows runs that the database has just answered: what refuses it now does so for good. */
const REVERT_PATIENCE_MS = 15_000;

function portsFor(
  target: Target,
  deadlineMs: number,
  { secrets: { hide }, log }: Desk,
  patience: { readonly patienceMs?: number } = {},
): Ports {
  const tell = (note: RunNote): void => {
    if (isCountedOnly(note)) return;
    const { level, message } = noteText(note);
    log.line(level, message, note);
  };
  const database = dataApiDatabase({
    target,
    clock: realClock,
    random: Math.random,
    tell,
    deadlineMs,
    ...patience,
  });
  return { database, clock: realClock, random: Math.random, tell, hide };
}

/** The payload's target; what it leaves out comes from the environment, which serves manual invokes. */
function targetOf(asked: { readonly [key in keyof Target]?: string | undefined }): Target {
  const from = (key: keyof Target): string | undefined => asked[key] ?? process.env[RUNNER_ENVIRONMENT[key]];
  const required = (key: keyof Target): string => {
    const value = from(key);
    if (value !== undefined && value !== '') return value;
    throw new ForerunError('input-invalid', {
      what: `The runner does not know its ${key}: neither the event nor the variable ${RUNNER_ENVIRONMENT[key]} says it.`,
      state: UNTOUCHED,
      next: `Give it as target.${key} in the event.`,
    });
  };
  return {
    clusterArn: required('clusterArn'),
    secretArn: required('secretArn'),
    database: required('database'),
    history: from('history') ?? DEFAULT_HISTORY,
  };
}

function bound(migrations: readonly BundledMigration[], surroundings: Surroundings): readonly Migration[] {
  return migrations.map(({ definition, ...revision }) => {
    if (isMigrationDefinition(definition)) return bindMigration(definition, revision, surroundings);
    throw new ForerunError('migration-not-a-migration', {
      what: `${revision.id} does not export a migration by default.`,
      state: UNTOUCHED,
      next: 'Write `export default migration({ … })` in it and deploy again.',
    });
  });
}

/** On the way down, and in a rollback, a name too many does no harm. */
function refuseUnread({ migrations, repeatables = [] }: RunnerBundle, { params }: Surroundings): void {
  const schemas = [...migrations, ...repeatables].flatMap(({ definition }) =>
    isMigrationDefinition(definition) ? (definition.params ?? []) : [],
  );
  const refusal = unreadParams(schemas, params);
  if (refusal !== undefined) throw refusal;
}

/** Template and code come from one synth; if they differ, the code that answers is not the code that was meant. */
function refuseStale({ digest }: DeployContext, bundle: RunnerBundle): void {
  if (digest === bundle.digest) return;
  throw new ForerunError('bundle-stale', {
    what: `The deploy asks for the history ${digest}, but this runner holds ${bundle.digest}.`,
    state: UNTOUCHED,
    next: 'Deploy the whole stack again, without hotswap, so that code and template come from one build.',
  });
}

function asForerunError(cause: unknown): ForerunError {
  if (cause instanceof ForerunError) return cause;
  if (cause instanceof DatabaseFailure) return databaseUnavailable(cause);
  throw cause;
}
