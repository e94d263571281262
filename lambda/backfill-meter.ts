import type { MetricName } from './contract.ts';
import { progressOf, progressText } from './engine/backfill/progress.ts';
import type { RunNote } from './engine/ports.ts';
import type { Log } from './log.ts';

/** Sums up the batches of backfills, and writes what they came to. */
export interface BackfillMeter {
  readonly hear: (note: RunNote) => void;
  /** To be called when the work of this call is over: writes what was not written yet. */
  readonly end: () => void;
}

/** Between two lines about one backfill, in milliseconds. */
const EVERY_MS = 5_000;
/** Of so many lines the rate is taken: a minute. */
const SAMPLES = 13;
/** The embedded metric format takes so many values of one metric in a line. */
const MOST_VALUES = 100;

/** What is known of one backfill. */
interface Tally {
  total: number | null;
  /** Rows looked at: those that the journal told last, and those of our own batches since. */
  scanned: number;
  samples: readonly (readonly [atMs: number, rows: number])[];
  changed: number;
  batches: number;
  durations: number[];
}

/**
 * A line every few seconds for each backfill at work, with its progress for people and its metrics for CloudWatch. The runner and
 * the worker hang it on their notes.
 */
export function backfillMeter(runner: string | undefined, log: Log, now: () => number): BackfillMeter {
  const tallies = new Map<string, Tally>();

  const write = (backfill: string, tally: Tally): void => {
    if (tally.batches === 0) return;
    const { total, scanned, changed, batches, durations } = tally;
    tally.samples = [...tally.samples, [now(), scanned] as const].slice(-SAMPLES);
    const standing = { total, scanned, recent: [tally.samples] };
    const { share, rowsPerSecond, etaSeconds } = progressOf(standing);
    const percent = share === null ? null : Math.floor(share * 1000) / 10;
    const values: Partial<Record<MetricName, number | readonly number[]>> = {
      BackfillRows: changed,
      BackfillBatches: batches,
      BackfillBatchDuration: durations,
      ...(percent === null ? {} : { BackfillProgress: percent }),
      ...(etaSeconds === null ? {} : { BackfillEta: etaSeconds }),
    };
    const members = {
      note: 'backfill-progress',
      backfill,
      percent,
      rowsPerSecond,
      etaSeconds,
      scanned,
      total,
      changed,
      batches,
    };
    const message = `${backfill}: ${progressText(standing)}.`;
    if (runner === undefined) log.line('INFO', message, members);
    else log.measure(runner, values, message, members);
    Object.assign(tally, { changed: 0, batches: 0, durations: [] });
  };

  return {
    hear(note) {
      if (note.note === 'backfill') {
        const known = tallies.get(note.backfill);
        if (known !== undefined && note.state !== 'running') write(note.backfill, known);
        if (note.scanned === null) return;
        const { total, scanned } = note;
        if (known === undefined) tallies.set(note.backfill, begun(total, scanned, now()));
        else Object.assign(known, { total, scanned });
      }
      if (note.note !== 'batch') return;
      const tally = tallies.get(note.backfill) ?? begun(null, 0, now());
      tallies.set(note.backfill, tally);
      tally.scanned += note.rows;
      tally.changed += note.changed;
      tally.batches += 1;
      if (tally.durations.length < MOST_VALUES) tally.durations.push(note.milliseconds);
      if (now() - (tally.samples.at(-1)?.[0] ?? 0) >= EVERY_MS) write(note.backfill, tally);
    },
    end() {
      for (const [backfill, tally] of tallies) write(backfill, tally);
    },
  };
}

const begun = (total: number | null, scanned: number, nowMs: number): Tally => ({
  total,
  scanned,
  samples: [[nowMs, scanned]],
  changed: 0,
  batches: 0,
  durations: [],
});
