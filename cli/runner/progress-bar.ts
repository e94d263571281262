import type { BackfillData } from '../../lambda/engine/backfill/operate.ts';
import { allRangesDone } from '../../lambda/engine/backfill/progress.ts';
import { countText, durationText } from '../terminal/words.ts';

const BAR = 30;
/** Ranges at work that get a line of their own. */
const RANGES_SHOWN = 8;

/** A backfill on a terminal: a bar, how fast it goes, and what its ranges do. */
export function barLines(backfill: BackfillData): readonly string[] {
  const { id, state, share } = backfill;
  const bar = share === null ? '' : `${barOf(share)} ${percentText(share).padStart(6)}  `;
  return [
    `${id}  ${state === 'enqueued' ? UNWORKED : state}`,
    `  ${bar}${rowsText(backfill)}`,
    ...[paceText(backfill), hintText(backfill)].filter((text) => text !== '').map((text) => `  ${text}`),
    ...rangeLines(backfill),
  ];
}

const UNWORKED = 'enqueued: nobody works on it yet; forerun backfill work does';

/** The same in one line, for where lines cannot be written anew. */
export function progressLine(backfill: BackfillData): string {
  const { id, state, share, rangeCount, rangesEnded } = backfill;
  return [
    `${id}: ${state === 'enqueued' ? UNWORKED : state}`,
    ...(share === null ? [] : [percentText(share)]),
    rowsText(backfill),
    ...[paceText(backfill), hintText(backfill)].filter((text) => text !== ''),
    ...(rangeCount > 1 ? [`${countText(rangesEnded)} of ${countText(rangeCount)} ranges done`] : []),
  ].join(', ');
}

/** Rounded down: never 100 % before every row was looked at. */
export function percentText(share: number): string {
  const percent = share * 100;
  return `${percent < 10 ? (Math.floor(percent * 10) / 10).toFixed(1) : Math.floor(percent)} %`;
}

export function rowsText({ scanned, total }: BackfillData): string {
  return `${countText(scanned)}${total === null ? '' : ` of about ${countText(total)}`} rows`;
}

/** How fast it goes and how long it will take; empty where nobody works on it, or no row is left to be looked at. */
export function paceText(backfill: BackfillData): string {
  const { rowsPerSecond, etaSeconds, state, sweeps } = backfill;
  if (state !== 'running' || sweeps || allRangesDone(backfill)) return '';
  return [
    ...(rowsPerSecond === null ? [] : [`${countText(rowsPerSecond)} rows/s`]),
    ...(etaSeconds === null ? [] : [`${durationText(etaSeconds * 1_000)} left`]),
  ].join(', ');
}

/** What it waits for, or what is to be done, where it is running and does not walk; empty otherwise. */
export function hintText(backfill: BackfillData): string {
  const { state, hold, waits, sweeps, rangeCount, rangesHeld, rowsPerSecond } = backfill;
  if (state !== 'running') return '';
  if (allRangesDone(backfill))
    return `all rows are done; ${hold ? 'the next deploy' : 'forerun backfill work'} records it`;
  if (waits) return 'waits for older transactions to end';
  // Before it has ranges, a worker may be at work on making them.
  if (rangeCount > 0 && rangesHeld === 0 && rowsPerSecond === null)
    return 'nobody works on it now; forerun backfill work does';
  return sweeps ? 'closing sweep, for rows that came late' : '';
}

function barOf(share: number): string {
  const full = Math.floor(Math.min(1, share) * BAR);
  return `[${'█'.repeat(full)}${'░'.repeat(BAR - full)}]`;
}

/** More ranges than this get no mark each. */
const MOST_MARKS = 48;

function rangeLines({ ranges, rangeCount, rangesEnded, state }: BackfillData): readonly string[] {
  if (rangeCount < 2 || state === 'succeeded') return [];
  const atWork = ranges.filter((range) => !range.ended && range.scanned > 0);
  const rest = rangeCount - rangesEnded - atWork.length;
  const marks = `${'■'.repeat(rangesEnded)}${'▣'.repeat(atWork.length)}${'□'.repeat(Math.max(0, rest))}  `;
  return [
    `  ranges ${rangeCount > MOST_MARKS ? '' : marks}${countText(rangesEnded)} of ${countText(rangeCount)} done`,
    ...atWork
      .slice(0, RANGES_SHOWN)
      .map(
        ({ number, scanned, batchRows, pass, waits }) =>
          `  range ${String(number).padStart(2)}  ${countText(scanned)} rows, ${pass > 1 ? (waits ? 'waits for older transactions' : 'closing sweep') : `batches of ${countText(batchRows)}`}`,
      ),
  ];
}
