/** How many rows a batch takes, and what it has learnt from the last ones. */
export interface Sizing {
  readonly rows: number;
  /** Milliseconds a row of the last batches, newest last. */
  readonly costs: readonly number[];
}

export const LEAST_ROWS = 1;
/** Ceiling of a batch: with more rows a batch holds too many locks at once (Spirit: 100,000; halved for the call's limit). */
export const MOST_ROWS = 50_000;

/** Batches looked back upon, the share of them that must have been quicker, the greatest step up (all three: Spirit). */
const REMEMBERED = 10;
const PERCENTILE = 0.9;
const GROWTH = 1.5;
/** So many times the target is an alarm: the size is divided by `PANIC` at once (Spirit: more than 5 times, by 10). */
const ALARM = 5;
const PANIC = 10;

export const startingSize = (rows: number): Sizing => ({ rows: clamped(rows), costs: [] });

/** The next size, so that a batch takes the target time: grows by half at most, shrinks freely. */
export function sized({ rows, costs }: Sizing, seen: number, tookMs: number, targetMs: number): Sizing {
  if (seen === 0) return { rows, costs };
  if (tookMs > ALARM * targetMs) return shrunk({ rows: Math.min(rows, seen), costs });
  const remembered = [...costs, Math.max(tookMs, 1) / seen].slice(-REMEMBERED);
  const sorted = remembered.toSorted((one, other) => one - other);
  const cost = sorted[Math.ceil(sorted.length * PERCENTILE) - 1] ?? 1;
  return { rows: clamped(Math.min(targetMs / cost, rows * GROWTH)), costs: remembered };
}

/** After an alarm or a failure nothing that was learnt holds any more. */
export const shrunk = ({ rows }: Sizing): Sizing => startingSize(rows / PANIC);

const clamped = (rows: number): number => Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(rows)));
