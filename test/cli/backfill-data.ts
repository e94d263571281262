import type { BackfillData } from '../../lambda/engine/backfill/operate.ts';

/** A backfill of one range that a worker is at. */
export const RUNNING: BackfillData = {
  id: '0002_fill',
  state: 'running',
  hold: false,
  reason: null,
  total: 100,
  scanned: 40,
  changed: 40,
  share: 0.4,
  rowsPerSecond: 20,
  etaSeconds: 3,
  enqueuedAt: '2026-11-26T10:00:00Z',
  startedAt: '2026-11-26T10:00:01Z',
  finishedAt: null,
  pauseMs: 10,
  mostRows: null,
  parallel: 1,
  rangeCount: 1,
  rangesEnded: 0,
  rangesHeld: 1,
  sweeps: false,
  waits: false,
  ranges: [],
  events: [],
};
