import type { Target, WorkerTask } from './contract.ts';
import { openIds, type Operator } from './engine/backfill/operate.ts';
import { DatabaseFailure } from './engine/database-failure.ts';
import type { Ports } from './engine/ports.ts';
import { postgres } from './engine/postgres.ts';
import { executionName, readExecution, startExecution, type Started } from './executions.ts';

/** More executions of one backfill than anybody's resumes and retries will need. */
const MOST_LINKS = 50;
const PATIENCE_MS = 30_000;

export interface HandOver {
  readonly operator: Operator;
  readonly target: Target;
  /** Version of the worker; empty where this release has none. */
  readonly worker: string;
  readonly deadlineMs: number;
}

/**
 * Hands backfills of this release that are still open to the worker. It works on each in one execution: a start under the same name
 * finds the one that is under way. What cannot be started is told and waits: whatever the runner was asked for is done.
 */
export async function handToWorker(
  ids: readonly string[],
  { operator: { history, migrations }, target, worker, deadlineMs }: HandOver,
  ports: Ports,
): Promise<void> {
  const own = ids.filter((id) => migrations.some((one) => one.id === id));
  if (worker === '' || own.length === 0) return;
  const untilMs = Math.min(deadlineMs, Date.now() + PATIENCE_MS);
  for (const id of await openOnes(history, ports)) {
    if (!own.includes(id)) continue;
    const refused = await startOn(worker, { backfill: id, target }, untilMs);
    if (refused === null) {
      ports.tell({ note: 'handed-on', backfill: id });
    } else {
      const reason = `the worker for ${id} could not be started (${refused}); {"action":"backfill"} or the next deploy goes on`;
      ports.tell({ note: 'unknown', reason });
    }
  }
}

/** Without an answer of the database nothing is started: the next deploy looks again. */
async function openOnes(history: string, ports: Ports): Promise<readonly string[]> {
  try {
    return await openIds(history, ports, postgres);
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure)) throw cause;
    ports.tell({ note: 'unknown', reason: `which backfills are open could not be read: ${cause.message}` });
    return [];
  }
}

/** Null when an execution is under way, else why none could be started. */
async function startOn(
  worker: string,
  { backfill, target }: { readonly backfill: string; readonly target: Target },
  untilMs: number,
): Promise<string | null> {
  const runner = process.env['AWS_LAMBDA_FUNCTION_NAME'] ?? '';
  for (let link = 1; link <= MOST_LINKS; link += 1) {
    const task: WorkerTask = { task: 'backfill', backfill, target, runner, link };
    const started = await startLink(worker, task, untilMs);
    if (started.kind === 'refused') return started.message;
    // An earlier execution of this name may have ended, with a pause for example: then the next name is free.
    const standing = started.kind === 'taken' ? null : await readExecution(started.arn, untilMs);
    if (typeof standing === 'string') return standing;
    if (standing?.status === 'RUNNING') return null;
  }
  return `${MOST_LINKS} executions of it have ended`;
}

/** Starts one execution in the row of those that work on a backfill. */
export async function startLink(
  worker: string,
  task: Extract<WorkerTask, { readonly task: 'backfill' }>,
  untilMs: number,
): Promise<Started> {
  const { clusterArn, database, history } = task.target;
  const name = await executionName(
    task.backfill,
    clusterArn,
    database,
    history,
    task.backfill,
    String(task.link),
  );
  return startExecution(worker, name, JSON.stringify(task), untilMs);
}
