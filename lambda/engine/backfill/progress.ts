import type { OpenBackfill } from './open-backfill.ts';
import type { Sample } from './range-view.ts';

/** How far a backfill has come. */
export interface Progress {
  /** Between 0 and 1; null where nobody knows how many rows there are. */
  readonly share: number | null;
  /** Rows looked at in a second, by the samples of about the last minute; null before there are two. */
  readonly rowsPerSecond: number | null;
  /** Seconds that are left at this rate; null where rate or total are not known. */
  readonly etaSeconds: number | null;
}

/** What is left of a backfill that a deploy waits for is to say that it is done: the deploy does so. */
export const allRangesDone = (one: { readonly rangeCount: number; readonly rangesEnded: number }): boolean =>
  one.rangeCount > 0 && one.rangesEnded === one.rangeCount;

export function progressOf({
  total,
  scanned,
  recent,
}: Pick<OpenBackfill, 'total' | 'scanned' | 'recent'>): Progress {
  const newest = Math.max(...recent.flatMap((samples) => samples.at(-1)?.[0] ?? []));
  const fresh = recent.filter((samples) => (samples.at(-1)?.[0] ?? 0) > newest - MINUTE_MS);
  const rates = fresh.flatMap((samples) => rateOf(samples) ?? []);
  const rate = rates.length === 0 ? null : rates.reduce((sum, one) => sum + one, 0);
  const share = total === null || total === 0 ? null : Math.min(1, scanned / total);
  const left = total === null ? null : Math.max(0, total - scanned);
  return {
    share,
    rowsPerSecond: rate === null ? null : Math.round(rate),
    etaSeconds: left === null || rate === null || rate <= 0 ? null : Math.ceil(left / rate),
  };
}

/** Ranges that nobody has worked on for so long while others were tell nothing of the rate. */
const MINUTE_MS = 60_000;

function rateOf(samples: readonly Sample[]): number | null {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last[0] <= first[0]) return null;
  return ((last[1] - first[1]) * 1_000) / (last[0] - first[0]);
}

/** `41% done, about 12 minutes left`, or as much of it as is known. */
export function progressText(open: Pick<OpenBackfill, 'total' | 'scanned' | 'recent'>): string {
  const { share, etaSeconds } = progressOf(open);
  const done =
    share === null ? `${open.scanned.toLocaleString('en')} rows done` : `${Math.floor(share * 100)}% done`;
  return etaSeconds === null ? done : `${done}, about ${durationText(etaSeconds)} left`;
}

function durationText(seconds: number): string {
  if (seconds < 90) return `${seconds} seconds`;
  if (seconds < 5_400) return `${Math.round(seconds / 60)} minutes`;
  return `${Math.round(seconds / 3_600)} hours`;
}
