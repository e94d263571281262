import type { Ports } from '../ports.ts';
import { tolerate } from '../database-failure.ts';
import type { RunLimits } from '../limits.ts';
import type { Backfill } from './backfill.ts';
import { kept, messageOf, verdictOn } from './failure.ts';
import { findRange } from './find-range.ts';
import { inLanes, type Lanes } from './lanes.ts';
import { moveAlong } from './move.ts';
import { startBackfill, type BackfillPlace } from './postgres-prepare.ts';
import { findKey, prepare, type KeyFound } from './prepare.ts';
import type { Taken } from './postgres-take.ts';
import type { BackfillState } from './states.ts';
import { throttleOver } from './throttle.ts';
import { hold, probeMs, rest, rowsOf, viewBackfill, type Worker } from './worker.ts';
import { workRange } from './work-range.ts';

export interface Slice {
  readonly place: BackfillPlace;
  /** Of the file that this worker has; it works on no other. */
  readonly checksum: string;
  readonly spec: Backfill;
  /** Unique to this worker. */
  readonly worker: string;
  readonly untilMs: number;
  readonly limits: RunLimits;
  /** How many ranges this worker works on at the same time. @default the backfill's `parallel`, as it is tuned */
  readonly lanes?: number;
  /** Called before each batch, whatever becomes of it. */
  readonly onBatch?: () => void;
  /** False when the work must stop at once. */
  readonly mayGoOn: () => Promise<boolean>;
}

/** How a slice of work came to its end. */
export type SliceEnd =
  /** Every range is done; what is left is to say so. */
  | { readonly end: 'worked' }
  /**
   * There is more to do; `why` tells what was waited for, if something was. `restMs` tells how long nothing may be done yet, in
   * milliseconds; null where nobody knows.
   */
  | { readonly end: 'working'; readonly why: string | null; readonly restMs: number | null }
  /** No worker may work on it. */
  | {
      readonly end: 'stopped';
      readonly state: BackfillState;
      readonly reason: string | null;
      readonly cause?: unknown;
    };

/**
 * First and longest time between two looks for a range while others hold all of them, in milliseconds; and the least, where a
 * lease is about to run out.
 */
const LOOK_MS = 1_000;
const MOST_IDLE_MS = 8_000;
const LEAST_IDLE_MS = 50;

/** Works on a backfill until it is done or the time is over. Several may do so at once: each range has one holder. */
export async function workSlice(slice: Slice, ports: Ports): Promise<SliceEnd> {
  const { place } = slice;
  const first = await viewBackfill(place, ports);
  if (first === null) return { end: 'stopped', state: 'cancelled', reason: 'the journal does not know it' };
  if (first.state === 'succeeded') return { end: 'worked' };
  if (first.state !== 'enqueued' && first.state !== 'running') {
    return { end: 'stopped', state: first.state, reason: first.reason };
  }
  const found = await keyFor(slice, first.key, ports);
  if ('flaw' in found) return stop(slice, 'failed', found.flaw, undefined, ports);
  await rowsOf(startBackfill(place, slice.worker), ports);
  const worker: Worker = {
    ...slice,
    ports,
    key: found.key,
    name: slice.worker,
    leaseMs: slice.limits.leaseMs,
    statementTimeoutMs: probeMs(slice.limits),
    idleTimeoutMs: slice.limits.idleTimeoutMs,
    throttle: throttleOver(ports, slice.spec.tuning),
    learnt: { sizing: null, alike: slice.spec.frozen || found.triggered },
    tools: {
      inTransaction: true,
      progress: (message) => ports.tell({ note: 'progress', migration: place.backfill, message }),
    },
    surplus: () => false,
    wanted: () => undefined,
  };
  if (!first.prepared) {
    try {
      if (!(await prepare(worker, first)))
        return { end: 'working', why: 'the set of rows is being captured', restMs: null };
    } catch (cause) {
      if (verdictOn(cause) !== 'hopeless') throw cause;
      return stop(slice, 'failed', kept(cause), cause, ports);
    }
  }
  const ends = await inLanes(slice.lanes ?? first.parallel, (lane, lanes) =>
    workLane(slice, laneOf(worker, lane, lanes, slice.lanes), lanes),
  );
  const working = ends.filter((one) => one.end === 'working');
  const rests = working.map(({ restMs }) => restMs).filter((restMs) => restMs !== null);
  return (
    ends.find((one) => one.end === 'stopped' && one.cause !== undefined) ??
    ends.find((one) => one.end !== 'working') ?? {
      end: 'working',
      why: working.find(({ why }) => why !== null)?.why ?? null,
      restMs: rests.length === 0 ? null : Math.min(...rests),
    }
  );
}

/** Each lane has a name of its own, so that a range has one holder among them too. */
const laneOf = (worker: Worker, lane: number, lanes: Lanes, fixed: number | undefined): Worker => ({
  ...worker,
  name: `${worker.name}/${lane}`,
  surplus: () => lanes.surplus(lane),
  wanted: (parallel) => {
    if (fixed === undefined) lanes.want(parallel);
  },
});

/** Range after range, until all are done or the time is over. Null when the lane is one too many. */
async function workLane(slice: Slice, worker: Worker, lanes: Lanes): Promise<SliceEnd | null> {
  const { ports, untilMs } = worker;
  let idleMs = LOOK_MS;
  for (;;) {
    if (worker.surplus()) return null;
    if (ports.clock.now() > untilMs) return { end: 'working', why: null, restMs: null };
    if (!(await worker.mayGoOn())) return { end: 'working', why: 'the run was overtaken', restMs: null };
    const bell = lanes.bell();
    let found: Taken;
    try {
      found = await findRange(worker);
    } catch (cause) {
      if (verdictOn(cause) !== 'unable') throw cause;
      if (!(await hold(worker, messageOf(cause))))
        return { end: 'working', why: messageOf(cause), restMs: null };
      continue;
    }
    if (found.state === 'succeeded') return { end: 'worked' };
    const { state, reason, total, scanned } = found;
    ports.tell({ note: 'backfill', backfill: slice.place.backfill, state, reason, total, scanned });
    if (found.state === 'enqueued') {
      await rowsOf(startBackfill(slice.place, slice.worker), ports);
      continue;
    }
    if (found.state !== 'running') return { end: 'stopped', state: found.state, reason: found.reason };
    if (found.open === 0) return { end: 'worked' };
    worker.wanted(found.parallel);
    if (found.range === null) {
      const forMs = Math.min(idleMs, Math.max(LEAST_IDLE_MS, found.freeInMs ?? idleMs));
      if (!(await rest(worker, forMs, bell)))
        return { end: 'working', why: 'another worker is at it', restMs: null };
      idleMs = Math.min(2 * idleMs, MOST_IDLE_MS);
      continue;
    }
    idleMs = LOOK_MS;
    const end = await workRange(found.range, worker);
    lanes.ring();
    if (end.end === 'time') return { end: 'working', why: end.why, restMs: end.restMs };
    // The others see the new state with their next step.
    if (end.end === 'trouble') return stop(slice, end.to, end.reason, end.cause, ports);
  }
}

/** The key as the catalog has it now. Where its types are others than in the beginning, its order may be another one, too. */
async function keyFor(
  { spec }: Slice,
  known: readonly (readonly [string, string])[] | null,
  ports: Ports,
): Promise<KeyFound> {
  const found = await findKey(spec, { ports });
  if ('flaw' in found) return found;
  const types = new Map(known);
  for (const { name, type } of found.key) {
    const was = types.get(name) ?? type;
    if (was !== type)
      return { flaw: `the keys in ${name} were of the type ${was} when it began, and are ${type} now` };
  }
  return found;
}

async function stop(
  { place, worker }: Slice,
  to: 'paused' | 'failed',
  reason: string,
  cause: unknown,
  ports: Ports,
): Promise<SliceEnd> {
  const by = worker;
  await moveAlong({ ...place, move: 'trouble', to, reason, by }, ports).catch(tolerate);
  ports.tell({ note: 'backfill', backfill: place.backfill, state: to, reason, total: null, scanned: null });
  return { end: 'stopped', state: to, reason, cause };
}
