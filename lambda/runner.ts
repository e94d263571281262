import { refuseBeyondAlias, refuseUnconfirmed } from './admission.ts';
import { bindMigration, isMigrationDefinition } from './authoring/migration.ts';
import type { Surroundings } from './authoring/surroundings.ts';
import { realClock } from './clock.ts';
import {
  DEFAULT_HISTORY,
  RUNNER_ENVIRONMENT,
  SURROUNDINGS_ENVIRONMENT,
  WORKER_ENVIRONMENT,
  paramTextVariable,
  type DeployContext,
  type MetricName,
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
import { postgres } from './engine/postgres.ts';
import { revert } from './engine/revert.ts';
import { run } from './engine/run.ts';
import { settle } from './engine/settle.ts';
import { unlock } from './engine/unlock.ts';
import { metricLine } from './metric-line.ts';
import { runMeter, type RunMeter } from './run-meter.ts';
import { answerOnBackfills, workAfterRun } from './runner-backfill.ts';
import { handToWorker } from './runner-worker.ts';
import { readRunnerEvent, type RunnerEvent } from './runner-event.ts';
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
    const log = `${context.logGroupName} ${context.logStreamName}`;
    try {
      const asked = readRunnerEvent(event);
      refuseBeyondAlias(asked, context.invokedFunctionArn);
      const answer = await answerTo(asked, bundle, context);
      return { ...answer, log };
    } catch (cause) {
      const error = asForerunError(cause);
      writeLine({ note: 'refused', code: error.code, message: error.message });
      return { ok: false, action: 'none', error: errorData(error), log };
    }
  };
}

type Answer = RunnerAnswer extends infer One ? (One extends unknown ? Omit<One, 'log'> : never) : never;

async function answerTo(event: RunnerEvent, bundle: RunnerBundle, context: RunnerContext): Promise<Answer> {
  const target = targetOf(event.target ?? {});
  refuseUnconfirmed(event, target.database);
  const secrets = secretReader();
  const surroundings = surroundingsOf(event, secrets);
  const history = bound(bundle.migrations, surroundings);
  const repeatables = bound(bundle.repeatables ?? [], surroundings);
  const deploy = 'deploy' in event ? event.deploy : undefined;
  if (deploy !== undefined) refuseStale(deploy, bundle);
  const ownDeadlineMs = Date.now() + context.getRemainingTimeInMillis() - ANSWER_RESERVE_MS;
  const deadlineMs = Math.min(ownDeadlineMs, deploy?.deadlineMs ?? ownDeadlineMs);
  const meter = runMeter(Date.now());
  const ports = metered(portsFor(target, deadlineMs, secrets), meter);
  const identity = {
    // Lambda hands an asynchronous event in again under the same request id; an attempt needs one of its own.
    runId: `${context.awsRequestId}/${crypto.randomUUID().slice(0, 8)}`,
    runKey: deploy?.runKey ?? null,
    history: target.history,
    deployId: deploy?.deployId ?? null,
    owner: deploy?.owner ?? null,
    digest: bundle.digest,
    ...(typeof deploy?.askedAtMs === 'number' ? { askedAtMs: deploy.askedAtMs } : {}),
  };
  const asker = { identity, history, repeatables };
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
      const goal = { direction: action, to: event.to, atomic: event.atomic, ...environment };
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
      return endOf(action, result, meter, context);
    }
    case 'settle': {
      const settled: RunIdentity & { action: 'settle' } = { ...identity, action: 'settle' };
      const verdict = await settle({ ...terms, identity: settled }, ports, postgres);
      writeLine({ note: 'settled', ...verdict });
      writeMetrics(meter.ofVerdict(verdict), context);
      return { ok: true, action: 'settle', verdict };
    }
    case 'revert': {
      const { owners, sinceMs, everything } = event;
      const wanted = { ...terms, identity, owners, sinceMs, everything, ...surroundings.environment };
      const hasty = portsFor(target, deadlineMs, secrets, { patienceMs: REVERT_PATIENCE_MS });
      return endOf('down', await revert(wanted, metered(hasty, meter), postgres), meter, context);
    }
    case 'unlock': {
      const order = { ...identity, action: event.action, reason: event.reason };
      const unlocked = await unlock(order, ports, postgres);
      writeLine({ note: 'unlocked', ...unlocked });
      return { ok: true, action: 'unlock', unlocked };
    }
    case 'stamp':
    case 'repair': {
      const { action, reason } = event;
      const to = event.action === 'stamp' ? event.to : null;
      const request = { ...terms, identity: { ...identity, action }, reason, to };
      const amended = await amend(request, ports, postgres);
      writeLine({ note: 'amended', ...amended });
      return { ok: true, action, amended };
    }
    case 'status':
      return { ok: true, action: 'status', status: await status(asker, ports.database, postgres) };
    case 'plan': {
      const { direction, to = direction === 'up' ? HEAD : BASE, atomic } = event;
      const goal = { direction, to, atomic, ...surroundings.environment };
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
    case 'tune': {
      const told = await answerOnBackfills(event, operator, deadlineMs, ports);
      if (event.action === 'resume' || event.action === 'retry') {
        await handToWorker([event.backfill], { operator, target, worker, deadlineMs }, ports);
      }
      return told;
    }
  }
}

function endOf(
  action: 'up' | 'down',
  result: RunResult | 'overtaken',
  meter: RunMeter,
  context: RunnerContext,
): Answer {
  if (result === 'overtaken') return { ok: true, action: 'up', overtaken: true };
  writeLine({ note: 'ended', ...result });
  writeMetrics(meter.ofResult(result, Date.now()), context);
  return { ok: result.error === null, action, result };
}

const metered = (ports: Ports, { hear }: RunMeter): Ports => ({
  ...ports,
  tell(note) {
    hear(note);
    ports.tell(note);
  },
});

function writeMetrics(
  values: Readonly<Partial<Record<MetricName, number>>> | null,
  { runnerName }: RunnerContext,
): void {
  const runner = runnerName ?? process.env['AWS_LAMBDA_FUNCTION_NAME'];
  if (values !== null && runner !== undefined) writeLine(metricLine(runner, values, Date.now()));
}

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
  { hide }: SecretReader,
  patience: { readonly patienceMs?: number } = {},
): Ports {
  const tell = (note: RunNote): void => writeLine(note, hide);
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

function writeLine(line: object, hide: (text: string) => string = (text) => text): void {
  process.stdout.write(`${hide(JSON.stringify(line))}\n`);
}
