import type { Row } from '../ports.ts';
import type { KeyTexts } from './backfill.ts';
import type { BackfillState } from './states.ts';

/** When a range had come how far: milliseconds since 1970, rows looked at. */
export type Sample = readonly [atMs: number, rows: number];

/** A range as its row shows it. */
export interface RangeView {
  readonly number: number;
  readonly cursor: KeyTexts | null;
  readonly upper: KeyTexts | null;
  /** 1, and 2 for the closing sweep. */
  readonly pass: number;
  readonly ended: boolean;
  /** Keys of rows that lost against another writer. */
  readonly redo: readonly KeyTexts[];
  readonly batchRows: number;
  readonly scanned: number;
  readonly recent: readonly Sample[];
}

/** What a step answers. */
export interface StepAnswer {
  /** Null when the step did not count. */
  readonly range: RangeView | null;
  readonly revision: string | null;
  /** Whether the lease is still ours. */
  readonly mine: boolean;
  /** Whether the sweep still waits for older transactions. */
  readonly waits: boolean;
  readonly backfill: {
    readonly state: BackfillState;
    readonly pauseMs: number;
    readonly mostRows: number | null;
    readonly parallel: number;
  } | null;
  readonly seen: number;
  readonly changed: number;
  /** How long the database worked on the rows; only where the step is one statement. */
  readonly workedMs?: number | null;
}

/** A backfill as its row shows it. */
export interface BackfillView {
  readonly state: BackfillState;
  readonly checksum: string;
  readonly key: readonly (readonly [name: string, type: string])[] | null;
  readonly captured: boolean;
  readonly prepared: boolean;
  readonly pauseMs: number;
  readonly mostRows: number | null;
  readonly parallel: number;
  readonly reason: string | null;
  /** Rows there are to look at; null where nobody knows. */
  readonly total: number | null;
  readonly scanned: number;
  /** Numbers of the ranges that are not done. */
  readonly open: readonly number[];
}

/** The one JSON column that a statement of ours answers with; its shape is made by that statement. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function answerOf<T>(rows: readonly Row[]): T | null {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (rows[0]?.['answer'] ?? null) as T | null;
}
