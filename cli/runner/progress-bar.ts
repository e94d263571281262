import type { BackfillData } from '../../lambda/engine/backfill/operate.ts';
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
    ...[paceText(backfill)].filter((text) => text !== '').map((text) => `  ${text}`),
    ...rangeLines(backfill),
  ];
}

const UNWORKED = 'enqueued: nobody works on it yet; forerun backfill work does';

/** The same in one line, for where lines cannot be written anew. */
export function progressLine(backfill: BackfillData): string {
  const { id, state, share, ranges } = backfill;
  const ended = ranges.filter((range) => range.ended).length;
  return [
    `${id}: ${state === 'enqueued' ? UNWORKED : state}`,
    ...(share === null ? [] : [percentText(share)]),
    rowsText(backfill),
    ...[paceText(backfill)].filter((text) => text !== ''),
    ...(ranges.length > 1 ? [`${ended} of ${ranges.length} ranges done`] : []),
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

/** How fast it goes and how long it will take; empty while nobody works on it. */
export function paceText({ rowsPerSecond, etaSeconds, state }: BackfillData): string {
  if (state !== 'running') return '';
  return [
    ...(rowsPerSecond === null ? [] : [`${countText(rowsPerSecond)} rows/s`]),
    ...(etaSeconds === null ? [] : [`${durationText(etaSeconds * 1_000)} left`]),
  ].join(', ');
}

function barOf(share: number): string {
  const full = Math.floor(Math.min(1, share) * BAR);
  return `[${'█'.repeat(full)}${'░'.repeat(BAR - full)}]`;
}

function rangeLines({ ranges }: BackfillData): readonly string[] {
  if (ranges.length < 2) return [];
  const marks = ranges.map(({ ended, scanned }) => (ended ? '■' : scanned > 0 ? '▣' : '□')).join('');
  const ended = ranges.filter((range) => range.ended).length;
  const atWork = ranges.filter((range) => !range.ended && range.scanned > 0);
  return [
    `  ranges ${marks}  ${ended} of ${ranges.length} done`,
    ...atWork
      .slice(0, RANGES_SHOWN)
      .map(
        ({ number, scanned, batchRows, pass }) =>
          `  range ${String(number).padStart(2)}  ${countText(scanned)} rows, ${pass > 1 ? 'closing sweep' : `batches of ${countText(batchRows)}`}`,
      ),
  ];
}
