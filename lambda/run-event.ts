import { RUN_EVENTS, type RunEventDetail, type Target, type Verdict } from './contract.ts';
import type { RunIdentity } from './engine/journal.ts';
import type { RunResult } from './engine/outcome.ts';

export interface RunEvent {
  readonly type: (typeof RUN_EVENTS)['run' | 'rollback'];
  readonly detail: RunEventDetail;
}

/** What every event of one call says. */
export interface EventFrame {
  readonly target: Target;
  readonly identity: Omit<RunIdentity, 'action'>;
  readonly head: string;
  readonly startedMs: number;
  readonly log: string;
}

/** An event of EventBridge may hold a megabyte; nobody reads more names than these. */
const MOST_NAMES = 100;

export function eventOfRun(
  action: 'up' | 'down' | 'revert',
  { outcome, steps, error, rows, dataApiCalls }: RunResult,
  frame: EventFrame,
  nowMs: number,
): RunEvent {
  const done = steps.filter((step) => step.outcome === 'applied').map(({ migration }) => migration);
  const names = done.slice(0, MOST_NAMES);
  return {
    type: RUN_EVENTS.run,
    detail: {
      ...framed(frame, nowMs),
      action,
      ok: error === null,
      outcome,
      dataApiCalls,
      applied: action === 'up' ? names : [],
      reverted: action === 'up' ? [] : names,
      migrations: done.length,
      rows,
      error: error === null ? null : { code: error.code, migration: error.place.migration ?? null },
      verdict: null,
    },
  };
}

export function eventOfVerdict(verdict: Verdict, frame: EventFrame, nowMs: number): RunEvent {
  const { fenced, ahead, pending, compatible, dataApiCalls } = verdict;
  return {
    type: RUN_EVENTS.rollback,
    detail: {
      ...framed(frame, nowMs),
      action: 'settle',
      ok: fenced,
      outcome: fenced ? 'settled' : 'unknown',
      dataApiCalls,
      applied: [],
      reverted: [],
      migrations: 0,
      rows: 0,
      error: null,
      verdict: {
        ahead: ahead?.slice(0, MOST_NAMES) ?? null,
        pending: pending.slice(0, MOST_NAMES),
        compatible,
      },
    },
  };
}

function framed({ target, identity, head, startedMs, log }: EventFrame, nowMs: number) {
  const { runId, deployId, commit, owner } = identity;
  return {
    version: '1',
    history: target.history,
    database: target.database,
    clusterArn: target.clusterArn,
    head,
    runId,
    deployId,
    commit: commit ?? null,
    owner,
    milliseconds: nowMs - startedMs,
    log,
  } as const;
}
