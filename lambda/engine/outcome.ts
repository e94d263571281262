import type { ErrorPlace, ErrorText, ForerunError } from './errors.ts';

/**
 * What is known about a step at the end of a run; nothing else is ever claimed.
 * `applied`: committed. `rolled-back`: tried, and nothing of it stays. `not-run`: never started.
 * `partial`: some statements of a migration that asked for no transaction are done and stand; the next run goes on after
 * them. `unknown`: nobody could tell in time; the next run reads the journal and knows.
 */
export type Outcome = 'applied' | 'rolled-back' | 'not-run' | 'partial' | 'unknown';

export interface StepOutcome {
  readonly migration: string;
  readonly outcome: Outcome;
  /** It is not meant for this environment: only its row was written or removed. */
  readonly skipped?: true;
}

/** An error as it travels in a result: plain data. */
export interface RunError {
  readonly code: string;
  readonly text: ErrorText;
  readonly place: ErrorPlace;
}

/** The end of a run, as plain data; it is stored in the journal and returned to whoever asked. */
export interface RunResult {
  readonly runId: string;
  readonly action: 'up' | 'down';
  /** The whole run: `applied` when the database stands where it was asked to stand. */
  readonly outcome: Outcome;
  /** Every step that the run set out to do, in order. */
  readonly steps: readonly StepOutcome[];
  readonly error: RunError | null;
  /** Backfills that are not done when the run ends; absent where there are none. */
  readonly backfills?: readonly string[];
  /** Rows that its statements and batches inserted, updated or deleted, and that stand. */
  readonly rows: number;
  /** Data API calls that this run sent. */
  readonly dataApiCalls: number;
  /** True when this is the stored end of an earlier ask with the same key. */
  readonly repeated: boolean;
}

export function errorData(
  { code, text, place }: ForerunError,
  hide: (text: string) => string = (shown) => shown,
): RunError {
  const { sql } = place;
  return {
    code,
    text: { what: hide(text.what), state: hide(text.state), next: hide(text.next) },
    place: sql === undefined ? place : { ...place, sql: hide(sql) },
  };
}
