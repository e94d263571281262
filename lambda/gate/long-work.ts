import { UNFINISHED, type RunnerAnswer, type WorkerTask } from '../contract.ts';
import { executionName, readExecution, startExecution, type ExecutionView } from '../executions.ts';
import { callAws } from '../http.ts';
import { appliedBy, errorOf } from './answers.ts';
import type { Asked } from './ask-runner.ts';
import type { HandedOn } from './handed-on.ts';
import { longAsk, runnerName, type Work } from './work.ts';

/** The gate has gone on to its next invocation, which answers. */
export const HANDED_ON = 'handed-on';

/** No more than the longest wait of CloudFormation takes; Lambda itself would end a chain of sixteen. */
const MOST_HOPS = 6;
/** So long before its own end the gate hands on, in milliseconds. */
const HAND_ON_MS = 45_000;
/** Left of CloudFormation's patience, less makes no sense to hand on with, in milliseconds. */
const WORTH_A_HOP_MS = 30_000;
const SHORTEST_LOOK_MS = 1_000;
const LONGEST_LOOK_MS = 10_000;

/** Whether more time may bring what a run could not finish, and this deploy has a worker and the time. */
export function mayGoOn(first: Asked, work: Work): boolean {
  const { WorkerArn, Timeout } = work.properties;
  if (WorkerArn === undefined || Timeout === undefined || Date.now() > longAsk(work).deploy.deadlineMs) {
    return false;
  }
  return UNFINISHED.has(errorOf(first)?.code ?? '');
}

/** Lets the worker go on where the runner stopped, and waits for it. */
export async function goOnLong(
  first: Asked,
  work: Work,
  workerArn: string,
): Promise<Asked | typeof HANDED_ON> {
  const ask = longAsk(work);
  const task: WorkerTask = {
    task: 'up',
    ask,
    applied: appliedBy(first),
    runner: runnerName(work.properties),
  };
  // Lambda repeats an event under the same request id, so a repeated gate finds the execution of the first.
  const name = await executionName(work.asked.LogicalResourceId, ask.deploy.runKey);
  const started = await startExecution(workerArn, name, JSON.stringify(task), work.answerByMs);
  if (started.kind !== 'started') {
    const why = started.kind === 'taken' ? 'it already works on another request' : started.message;
    return { kind: 'unanswered', message: `the worker could not be started: ${why}`, started: true };
  }
  return waitForWorker(work, started.arn, 1);
}

/** Looks at an execution of the worker until it ends, or the gate's own time does. */
export async function waitForWorker(
  work: Work,
  execution: string,
  hop: number,
): Promise<Asked | typeof HANDED_ON> {
  const { ownEndMs, answerByMs } = work;
  const hopAtMs = ownEndMs - HAND_ON_MS;
  const isLast = hop >= MOST_HOPS || work.patienceEndMs - ownEndMs < WORTH_A_HOP_MS;
  let lookMs = SHORTEST_LOOK_MS;
  for (;;) {
    const view = await readExecution(execution, Math.min(isLast ? answerByMs : hopAtMs, Date.now() + 60_000));
    if (typeof view !== 'string' && view.status !== 'RUNNING') return endOf(view);
    if (!isLast && Date.now() + lookMs > hopAtMs) {
      if (await handOn(work, execution, hop + 1)) return HANDED_ON;
    }
    if (Date.now() + lookMs > answerByMs) {
      const message =
        typeof view === 'string'
          ? `the worker could not be asked how far it is: ${view}`
          : 'the worker was still at work when the time of this deploy was over';
      return { kind: 'unanswered', message, started: true };
    }
    await new Promise((wake) => setTimeout(wake, lookMs));
    lookMs = Math.min(LONGEST_LOOK_MS, lookMs * 2);
  }
}

function endOf({ status, result, error }: ExecutionView): Asked {
  if (status !== 'SUCCEEDED' || result === null) {
    return { kind: 'crashed', message: `the worker ended as ${status}${error === null ? '' : `: ${error}`}` };
  }
  // Our own worker wrote it, of the version that the properties name.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { kind: 'answered', answer: JSON.parse(result) as RunnerAnswer };
}

/** True when Lambda has taken the next event. */
async function handOn({ asked, requestId, ownArn }: Work, execution: string, hop: number): Promise<boolean> {
  const next: HandedOn = { forerun: 'handed-on', hop, requestId, execution, request: asked };
  try {
    const { status } = await callAws({
      service: 'lambda',
      path: `/2015-03-31/functions/${encodeURIComponent(ownArn)}/invocations`,
      headers: { 'content-type': 'application/json', 'x-amz-invocation-type': 'Event' },
      body: JSON.stringify(next),
      timeoutMs: 10_000,
    });
    return status === 202;
  } catch {
    // Whether it was taken is not known, and two answers do no harm: CloudFormation takes the first.
    return false;
  }
}
