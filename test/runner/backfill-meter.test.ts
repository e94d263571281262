import { expect, test } from 'vitest';
import { backfillMeter } from '../../lambda/backfill-meter.ts';
import type { RunNote } from '../../lambda/engine/ports.ts';
import type { Log } from '../../lambda/log.ts';

/** What a meter writes, with a clock that the test moves. */
function bench() {
  const written: { readonly values: object; readonly message: string; readonly members: object }[] = [];
  const log: Log = {
    line: () => undefined,
    measure(_runner, values, message, members = {}) {
      written.push({ values, message, members });
    },
    append: () => undefined,
  };
  let nowMs = 0;
  const meter = backfillMeter('runner', log, () => nowMs);
  return {
    written,
    meter,
    batch(milliseconds: number, rows: number, changed = rows) {
      nowMs += milliseconds;
      const note = { note: 'batch', backfill: '0002_fill', range: 1, nextRows: 1 } as const;
      meter.hear({ ...note, rows, changed, milliseconds });
    },
  };
}

const standing = (state: 'running' | 'paused', scanned: number | null): RunNote => ({
  note: 'backfill',
  backfill: '0002_fill',
  state,
  reason: null,
  total: scanned === null ? null : 10_000,
  scanned,
});

test('many batches become a line every five seconds, with progress, rate and time to go', () => {
  const { meter, written, batch } = bench();
  meter.hear(standing('running', 2_000));
  for (let count = 0; count < 20; count += 1) batch(500, 100, 90);
  expect(written.map(({ message }) => message)).toEqual([
    '0002_fill: 30% done, about 35 seconds left.',
    '0002_fill: 40% done, about 30 seconds left.',
  ]);
  expect(written[0]?.values).toEqual({
    BackfillRows: 900,
    BackfillBatches: 10,
    BackfillBatchDuration: Array.from({ length: 10 }, () => 500),
    BackfillProgress: 30,
    BackfillEta: 35,
  });
  expect(written[1]?.members).toEqual({
    note: 'backfill-progress',
    backfill: '0002_fill',
    percent: 40,
    rowsPerSecond: 200,
    etaSeconds: 30,
    scanned: 4_000,
    total: 10_000,
    changed: 900,
    batches: 10,
  });
});

test('what is left over is written when the work of a call ends or trouble stops it', () => {
  const { meter, written, batch } = bench();
  meter.hear(standing('running', 0));
  batch(500, 10);
  meter.hear(standing('paused', null));
  expect(written).toMatchObject([{ values: { BackfillRows: 10, BackfillBatches: 1 } }]);
  batch(500, 10);
  meter.end();
  meter.end();
  expect(written).toHaveLength(2);
});

test('progress counts what other workers did, as soon as the journal was read again', () => {
  const { meter, written, batch } = bench();
  meter.hear(standing('running', 0));
  batch(500, 100);
  meter.hear(standing('running', 5_000));
  batch(500, 100);
  meter.end();
  expect(written.at(-1)?.members).toMatchObject({ percent: 51, scanned: 5_100 });
});
