import type { BackfillData, BatchesData, RangeData } from '../../lambda/engine/backfill/operate.ts';
import { table } from '../terminal/table.ts';
import { countOf, countText, momentText } from '../terminal/words.ts';

/** Lines of each table: both together leave a screen room for the rest. */
const MOST_RANGES = 6;
const MOST_BATCHES = 8;
const BAR = 20;

/** The ranges of a backfill and how its batches went, in a few lines whatever their number. */
export function detailOf(backfill: BackfillData): readonly string[] {
  const { rangeCount, ranges, batches = [] } = backfill;
  const isParted = rangeCount > 1 && ranges.length > 0;
  return [...(isParted ? ['', ...rangeTable(backfill)] : []), ...batchTable(batches)];
}

/** Those that are not done come first: whoever looks wants to know where it still works. */
function rangeTable({ ranges, rangeCount, rangesEnded }: BackfillData): readonly string[] {
  const open = ranges.filter(({ ended }) => !ended);
  const shown = [...open, ...ranges.filter(({ ended }) => ended)].slice(0, MOST_RANGES);
  const rows = shown.map((range) => [
    countText(range.number),
    wordOf(range),
    countText(range.scanned),
    countText(range.changed),
    countText(range.batches),
    range.ended ? '' : countText(range.batchRows),
  ]);
  const left = rangeCount - shown.length;
  const leftEnded = rangesEnded - shown.filter(({ ended }) => ended).length;
  return [
    ...table(['range', 'state', 'looked at', 'changed', 'batches', 'next batch'], rows),
    ...(left === 0 ? [] : [`and ${countOf(left, 'range')} more, ${countText(leftEnded)} of them done`]),
  ];
}

function wordOf({ ended, pass, scanned, waits }: RangeData): string {
  if (ended) return 'done';
  if (waits) return 'waits for older transactions';
  if (pass > 1) return 'closing sweep';
  return scanned > 0 ? 'under way' : 'not begun';
}

/** Neighbours are put together until they fit; the bar tells at a glance where batches took long. */
function batchTable(batches: readonly BatchesData[]): readonly string[] {
  if (batches.length === 0) return [];
  const size = Math.ceil(batches.length / MOST_BATCHES);
  const groups = Array.from({ length: Math.ceil(batches.length / size) }, (_, at) =>
    together(batches.slice(at * size, (at + 1) * size)),
  );
  const longest = Math.max(...groups.map((group) => group.milliseconds / group.batches));
  const rows = groups.map(({ atMs, batches: count, rows, milliseconds }) => [
    momentText(new Date(atMs).toISOString()),
    countText(count),
    countText(rows),
    countText(rows / count),
    `${countText(milliseconds / count)} ms`,
    '▇'.repeat(Math.max(1, Math.round((milliseconds / count / longest) * BAR))),
  ]);
  return ['', ...table(['from', 'batches', 'looked at', 'rows each', 'time each', ''], rows)];
}

const together = (points: readonly BatchesData[]): BatchesData => {
  const sum = (of: (point: BatchesData) => number): number => points.reduce((all, one) => all + of(one), 0);
  return {
    atMs: points[0]?.atMs ?? 0,
    batches: sum((one) => one.batches),
    rows: sum((one) => one.rows),
    milliseconds: sum((one) => one.milliseconds),
  };
};
