import { withDurableExecution, type DurableContext } from '@aws/durable-execution-sdk-js';
import { UNFINISHED, type RunnerAnswer, type StepOutcome, type WorkerTask } from './contract.ts';
import { allRangesDone } from './engine/backfill/progress.ts';
import { isOpen, type BackfillState } from './engine/backfill/states.ts';
import { createRunner, type RunnerBundle, type RunnerContext } from './runner.ts';
import type { RunnerEventInput } from './runner-event.ts';
import { startLink } from './runner-worker.ts';

/**
 * An execution remembers each of its steps, and Lambda ends one that has too many (its quotas name 3,000). Before that the work goes
 * on in the next execution.
 */
const MOST_OPERATIONS = 2_000;
/** A slice's time, in milliseconds: so often a change of `parallel` is seen. */
const SLICE_MS = 600_000;
/** Kept back from an invocation's time for what comes after the slice, in milliseconds. */
const SLICE_RESERVE_MS = 20_000;
const START_MS = 60_000;
/** Least pause before the next slice: the next invocation begins with all of Lambda's time. */
const BETWEEN = { seconds: 1 };
/** Pause where the slice could do nothing: another worker holds every range, or the database does not answer. */
const IDLE = { seconds: 60 };
/** Pause between attempts of a slice that Forerun itself did not survive, and how many there are. */
const AFTER_A_CRASH = { seconds: 15 };
const MOST_ATTEMPTS = 20;

const STEP = {
  retryStrategy: (_cause: Error, attempts: number) =>
    attempts < MOST_ATTEMPTS ? { shouldRetry: true, delay: AFTER_A_CRASH } : { shouldRetry: false },
};

type Runner = (event: RunnerEventInput, context: RunnerContext) => Promise<RunnerAnswer>;
type UpTask = Extract<WorkerTask, { readonly task: 'up' }>;
type BackfillTask = Extract<WorkerTask, { readonly task: 'backfill' }>;

/**
 * Makes the handler of the worker, a Lambda durable function: AWS keeps what it has done and calls it again where it stopped, after a
 * pause, a crash, or the end of an invocation. All it does is to ask the runner of its own bundle, slice after slice.
 */
export function createWorker(bundle: RunnerBundle) {
  const run: Runner = createRunner(bundle);
  return withDurableExecution(
    async (task: WorkerTask, context: DurableContext): Promise<RunnerAnswer | Standing> =>
      task.task === 'up' ? finishRun(task, context, run) : finishBackfill(task, context, run),
  );
}

/** The migrations of a deploy, until a run ends otherwise than by its time, or the deploy's own time is over. */
async function finishRun(
  { ask, applied, runner }: UpTask,
  context: DurableContext,
  run: Runner,
): Promise<RunnerAnswer> {
  let before = applied;
  for (let turn = 1; ; turn += 1) {
    const { answer, more } = await context.step(
      `run ${turn}`,
      async () => {
        // Who asks under one key gets that run's end, so each slice has its own; asked again after a crash it is the same one.
        const deploy = { ...ask.deploy, runKey: `${ask.deploy.runKey}/${turn}` };
        const ended = await run({ ...ask, deploy }, contextOf(context, runner));
        const code = 'result' in ended ? ended.result.error?.code : undefined;
        return {
          answer: withSteps(before, ended),
          more: UNFINISHED.has(code ?? '') && Date.now() < deploy.deadlineMs,
        };
      },
      STEP,
    );
    if (!more) return answer;
    if ('result' in answer) before = answer.result.steps.filter(({ outcome }) => outcome === 'applied');
    await context.wait(`after run ${turn}`, BETWEEN);
  }
}

/** All that the deploy has committed, as if one run had done it. */
function withSteps(before: readonly StepOutcome[], answer: RunnerAnswer): RunnerAnswer {
  if (!('result' in answer)) return answer;
  const { result } = answer;
  return { ...answer, result: { ...result, steps: [...before, ...result.steps] } };
}

/** What a slice of a backfill leaves behind, small enough to be remembered. */
interface Standing {
  readonly state: BackfillState;
  readonly parallel: number;
  /** Every range is done; a backfill that a deploy holds is then said to be done by the next run. */
  readonly worked: boolean;
  readonly scanned: number;
  /** How long the lane's range must rest yet, in milliseconds; null where it had none. */
  readonly restMs: number | null;
  /** Why the runner refused; null where it did not. */
  readonly refused: string | null;
}

/** A backfill, until it is done or somebody stopped it. Each of its lanes is a branch of the execution. */
async function finishBackfill(task: BackfillTask, context: DurableContext, run: Runner): Promise<Standing> {
  let standing = await context.step('look', () => look(task, context, run), STEP);
  let operations = 1;
  let pause = BETWEEN;
  for (let turn = 1; !isOver(standing); turn += 1) {
    if (operations > MOST_OPERATIONS) {
      await context.step(`go on as ${task.link + 1}`, () => startNext(task, context), STEP);
      return standing;
    }
    const before = standing;
    if (turn > 1) await context.wait(`before slice ${turn}`, pause);
    const branches = Array.from({ length: before.parallel }, (_, at) => ({
      name: `lane ${at + 1}`,
      func: (lane: DurableContext) => lane.step('work', () => workSlice(task, before, context, run), STEP),
    }));
    const lanes = await context.parallel(`slice ${turn}`, branches);
    lanes.throwIfError();
    // Whoever ended last has seen the most.
    standing = lanes.getResults().reduce((last, one) => (one.scanned >= last.scanned ? one : last), before);
    pause = pauseAfter(lanes.getResults(), standing.scanned === before.scanned);
    operations += 2 * branches.length + 2;
  }
  return standing;
}

/** As long as a range that was worked on must rest between two of its batches, which can be longer than a slice. */
function pauseAfter(lanes: readonly Standing[], idle: boolean): { seconds: number } {
  const rests = lanes.map(({ restMs }) => restMs).filter((restMs) => restMs !== null);
  const seconds = rests.length === 0 ? 0 : Math.ceil(Math.min(...rests) / 1_000);
  return seconds > 0 ? { seconds } : idle ? IDLE : BETWEEN;
}

const isOver = ({ state, worked, refused }: Standing): boolean =>
  worked || refused !== null || !isOpen(state);

async function look({ backfill, target, runner }: BackfillTask, context: DurableContext, run: Runner) {
  const unknown: Standing = {
    state: 'enqueued',
    parallel: 1,
    worked: false,
    scanned: 0,
    restMs: null,
    refused: null,
  };
  const answer = await run({ action: 'backfills', backfill, target }, contextOf(context, runner));
  return standingOf(answer, backfill, unknown);
}

async function workSlice(
  { backfill, target, runner }: BackfillTask,
  before: Standing,
  context: DurableContext,
  run: Runner,
): Promise<Standing> {
  const answer = await run({ action: 'backfill', backfill, target, lanes: 1 }, contextOf(context, runner));
  return standingOf(answer, backfill, before);
}

function standingOf(answer: RunnerAnswer, id: string, before: Standing): Standing {
  if ('backfills' in answer) {
    const found = answer.backfills.find((one) => one.id === id);
    if (found === undefined) return { ...before, refused: `the journal knows no backfill ${id}` };
    const { restMs = null } = answer;
    const { state, parallel, scanned } = found;
    const worked = allRangesDone(found);
    return { state, parallel: Math.max(1, parallel), scanned, worked, restMs, refused: null };
  }
  const error = 'error' in answer ? answer.error : null;
  // A database that is away comes back: the slice did nothing, and the next one tries again.
  if (error?.code === 'database-unreachable') return { ...before, restMs: null };
  return { ...before, refused: error === null ? 'the runner gave another answer' : error.text.what };
}

async function startNext(task: BackfillTask, context: DurableContext): Promise<void> {
  const { invokedFunctionArn } = contextOf(context, task.runner);
  const started = await startLink(
    invokedFunctionArn,
    { ...task, link: task.link + 1 },
    Date.now() + START_MS,
  );
  if (started.kind === 'refused') throw new NotStarted(started.message);
}

/** Thrown for the step to be tried again. */
class NotStarted extends Error {
  override readonly name = 'NotStarted';
}

/** Lambda's own context, in which a slice has only so much time. */
function contextOf({ lambdaContext }: DurableContext, runnerName: string): RunnerContext {
  return {
    awsRequestId: lambdaContext.awsRequestId,
    invokedFunctionArn: lambdaContext.invokedFunctionArn,
    logGroupName: lambdaContext.logGroupName,
    logStreamName: lambdaContext.logStreamName,
    getRemainingTimeInMillis: () =>
      Math.min(SLICE_MS, lambdaContext.getRemainingTimeInMillis() - SLICE_RESERVE_MS),
    runnerName,
    workerArn: lambdaContext.invokedFunctionArn,
  };
}
