import type { MetricName } from './contract.ts';
import { isStopped } from './engine/backfill/states.ts';
import type { RunResult } from './engine/outcome.ts';
import type { RunNote } from './engine/ports.ts';
import type { Verdict } from './engine/settle.ts';

type Values = Readonly<Partial<Record<MetricName, number>>>;

/** Counts what one call of the runner does, for its metrics. */
export interface RunMeter {
  readonly hear: (note: RunNote) => void;
  /** Null for the stored end of an earlier call, which was counted then. */
  readonly ofResult: (result: RunResult, nowMs: number) => Values | null;
  readonly ofVerdict: (verdict: Verdict) => Values;
  /** Null where nothing was heard of backfills that wait for a person. */
  readonly ofBackfills: () => Values | null;
}

export function runMeter(startedMs: number): RunMeter {
  let leaseWaitMs = 0;
  let stopped: number | null = null;
  return {
    hear(note) {
      if (note.note === 'waiting' && note.lease === true) leaseWaitMs += note.forMs;
      if (note.note === 'backfills') stopped = note.stopped;
      if (note.note === 'backfill' && isStopped(note.state)) stopped = Math.max(stopped ?? 0, 1);
    },
    ofResult({ action, steps, error, rows, dataApiCalls, repeated }, nowMs) {
      if (repeated) return null;
      const applied = steps.filter((step) => step.outcome === 'applied').length;
      return {
        Applied: action === 'up' ? applied : 0,
        Reverted: action === 'down' ? applied : 0,
        Failed: error === null ? 0 : 1,
        Rows: rows,
        Duration: nowMs - startedMs,
        DataApiCalls: dataApiCalls,
        LeaseWait: leaseWaitMs,
        ...(stopped === null ? {} : { BackfillsStopped: stopped }),
        ...(action === 'up' && error === null ? { DatabaseAhead: 0 } : {}),
      };
    },
    ofBackfills: () => (stopped === null ? null : { BackfillsStopped: stopped }),
    ofVerdict({ ahead, dataApiCalls }) {
      return { DataApiCalls: dataApiCalls, ...(ahead === null ? {} : { DatabaseAhead: ahead.length }) };
    },
  };
}
