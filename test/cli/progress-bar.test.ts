import { describe, expect, test } from 'vitest';
import { barLines, progressLine } from '../../cli/runner/progress-bar.ts';
import { tellBackfills } from '../../cli/runner/tell-backfills.ts';
import type { BackfillData, RangeData } from '../../lambda/engine/backfill/operate.ts';
import { RUNNING } from './backfill-data.ts';

const range = (number: number, more: Partial<RangeData> = {}): RangeData => ({
  number,
  ended: false,
  pass: 1,
  waits: false,
  scanned: 100,
  changed: 100,
  batches: 2,
  batchRows: 50,
  ...more,
});
const still = { rowsPerSecond: null, etaSeconds: null } as const;

describe('the line about a backfill', () => {
  test.each<readonly [string, Partial<BackfillData>, string]>([
    ['how fast it goes', {}, '40 %, 40 of about 100 rows, 20 rows/s, 3.0 s left'],
    [
      'that nobody works on it, where no lease of it is live',
      { ...still, rangesHeld: 0 },
      '40 %, 40 of about 100 rows, nobody works on it now; forerun backfill work does',
    ],
    ['nothing of its speed before there is one', still, '40 %, 40 of about 100 rows'],
    [
      'nothing while its ranges are made',
      { ...still, rangeCount: 0, rangesHeld: 0, share: null, total: null, scanned: 0 },
      '0 rows',
    ],
    [
      'for what it waits',
      { share: 1, scanned: 100, rowsPerSecond: 0, etaSeconds: 0, sweeps: true, waits: true },
      '100 %, 100 of about 100 rows, waits for older transactions to end',
    ],
    [
      'that it looks once more',
      { share: 1, scanned: 100, rowsPerSecond: 0, etaSeconds: 0, sweeps: true },
      '100 %, 100 of about 100 rows, closing sweep, for rows that came late',
    ],
    [
      'that the next deploy records it',
      { ...still, hold: true, share: 1, scanned: 100, rangesEnded: 1, rangesHeld: 0 },
      '100 %, 100 of about 100 rows, all rows are done; the next deploy records it',
    ],
  ])('tells %s', (_what, more, said) => {
    expect(progressLine({ ...RUNNING, ...more })).toBe(`0002_fill: running, ${said}`);
  });
});

test('the bar marks each range, and counts them where they are too many for marks', () => {
  const ranges = [range(3), range(4, { pass: 2, waits: true })];
  const parted = { ...RUNNING, rangeCount: 6, rangesEnded: 2, ranges };
  expect(barLines(parted).slice(3)).toEqual([
    '  ranges ■■▣▣□□  2 of 6 done',
    '  range  3  100 rows, batches of 50',
    '  range  4  100 rows, waits for older transactions',
  ]);
  expect(barLines({ ...parted, rangeCount: 500 })[3]).toBe('  ranges 2 of 500 done');
});

test('the list says how many more there are, and of many ranges what it leaves out', () => {
  const ranges = Array.from({ length: 8 }, (_, at) => range(at + 1));
  const lines = tellBackfills({
    backfills: [{ ...RUNNING, rangeCount: 500, rangesEnded: 50, ranges }],
    more: 950,
  });
  expect(lines[3]).toBe('and 950 more; forerun backfill list <backfill> shows each of them by its name');
  expect(lines.at(-1)).toBe('and 494 ranges more, 50 of them done');
});
