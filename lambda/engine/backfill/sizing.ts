/** How many rows a batch takes, and what it has learnt from the last ones. */
export interface Sizing {
  readonly rows: number;
  /** The last batches, newest last. */
  readonly batches: readonly Took[];
}

/** What a batch of so many rows took, in milliseconds. */
export interface Took {
  readonly rows: number;
  readonly milliseconds: number;
}

export const LEAST_ROWS = 1;
/** Ceiling of a batch: with more rows a batch holds too many locks at once (Spirit: 100,000; halved for the call's limit). */
export const MOST_ROWS = 50_000;

/** Batches looked back upon, and the share of them that must have been quicker (both: Spirit). */
const REMEMBERED = 10;
const PERCENTILE = 0.9;
/**
 * The greatest step up. Twice (Spirit: 1.5) reaches the size that fits after seven batches instead of eleven, and a batch
 * grows only as far as the cost of its rows lets it take the target time.
 */
const GROWTH = 2;
/** A batch tells of another one's cost a row only if it had this share of its rows: what a call costs in itself weighs on small ones. */
const COMPARABLE = 0.5;
/** So many times the target is an alarm: the size is divided by `PANIC` at once (Spirit: more than 5 times, by 10). */
const ALARM = 5;
const PANIC = 10;

export const startingSize = (rows: number): Sizing => ({ rows: clamped(rows), batches: [] });

/** The next size, so that a batch takes the target time: at most doubles, shrinks freely. */
export function sized({ rows, batches }: Sizing, seen: number, tookMs: number, targetMs: number): Sizing {
  if (seen === 0) return { rows, batches };
  if (tookMs > ALARM * targetMs) return shrunk(Math.min(rows, seen));
  const remembered = [...batches, { rows: seen, milliseconds: Math.max(tookMs, 1) }].slice(-REMEMBERED);
  const costs = remembered
    .filter((one) => one.rows >= COMPARABLE * seen)
    .map((one) => one.milliseconds / one.rows)
    .toSorted((one, other) => one - other);
  const cost = costs[Math.ceil(costs.length * PERCENTILE) - 1] ?? 1;
  return { rows: clamped(Math.min(targetMs / cost, rows * GROWTH)), batches: remembered };
}

/** After an alarm or a failure of a batch of so many rows; nothing that was learnt holds any more. */
export const shrunk = (rows: number): Sizing => startingSize(rows / PANIC);

const clamped = (rows: number): number => Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(rows)));
