import type { Ports, Statement } from '../ports.ts';
import { repeatable } from '../lease.ts';
import type { RunLimits } from '../limits.ts';
import type { Backfill, BatchTools, KeyColumn } from './backfill.ts';
import { answerOf, type BackfillView } from './range-view.ts';
import type { BackfillPlace } from './postgres-prepare.ts';
import { readBackfill } from './postgres-state.ts';
import type { Sizing } from './sizing.ts';
import type { Throttle } from './throttle.ts';

/** Who works, on what, and until when. */
export interface Worker {
  readonly ports: Ports;
  readonly place: BackfillPlace;
  /** Of the file that this worker has. */
  readonly checksum: string;
  readonly spec: Backfill;
  readonly key: readonly KeyColumn[];
  /** Unique to this worker and lane; the holder of the leases it takes. */
  readonly name: string;
  readonly leaseMs: number;
  /** Longest statement inside a transaction, in milliseconds. */
  readonly statementTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** No step begins after this moment, in milliseconds since 1970. */
  readonly untilMs: number;
  readonly throttle: Throttle;
  /** What was learnt on the ranges so far: shared by those that work side by side. */
  readonly learnt: Learnt;
  readonly tools: BatchTools;
  /** Called before each batch, whatever becomes of it. */
  readonly onBatch?: () => void;
  /** True while the work may go on; a run asks here whether its lease is still its own. */
  readonly mayGoOn: () => Promise<boolean>;
  /** True when fewer shall work at the same time, and this one is too many. */
  readonly surplus: () => boolean;
  /** Told after each step how many shall work at the same time. */
  readonly wanted: (parallel: number) => void;
}

interface Learnt {
  /** For a range that is new to all. */
  sizing: Sizing | null;
  /** There may be rows that `set` would leave as they are, though their `where` is true. */
  alike: boolean;
}

/** The backfill as it stands; null when the journal has none of this name. */
export async function viewBackfill(place: BackfillPlace, ports: Ports): Promise<BackfillView | null> {
  return answerOf<BackfillView>(await rowsOf(readBackfill(place), ports));
}

/** A statement that does no harm when it runs twice. */
export async function rowsOf(statement: Statement, ports: Ports) {
  return (await repeatable(statement, ports)).rows;
}

/** Sleeps, or not at all when that would lead beyond the worker's time: then false. */
export async function rest(
  { ports, untilMs }: Pick<Worker, 'ports' | 'untilMs'>,
  forMs: number,
  cancel?: AbortSignal,
): Promise<boolean> {
  if (ports.clock.now() + forMs > untilMs) return false;
  if (forMs > 0) await ports.clock.sleep(forMs, cancel);
  return true;
}

/** Between two looks while the database is spared, or can take no change, in milliseconds. */
const HOLD_MS = 5_000;

/** Waits until the next look; false when the worker's time would be over. */
export function hold(worker: Pick<Worker, 'ports' | 'untilMs'>, reason: string): Promise<boolean> {
  worker.ports.tell({ note: 'waiting', reason, forMs: HOLD_MS });
  return rest(worker, HOLD_MS);
}

const PROBE_MS = 15_000;

/** A statement whose time nobody knows yet is stopped by the database after so long, in milliseconds. */
export const probeMs = ({ statementTimeoutMs }: Pick<RunLimits, 'statementTimeoutMs'>): number =>
  Math.min(PROBE_MS, statementTimeoutMs);
