import type { Ports } from '../ports.ts';
import { tolerate } from '../database-failure.ts';
import type { RunLimits } from '../limits.ts';
import type { Backfill } from './backfill.ts';
import { kept, verdictOn } from './failure.ts';
import { moveBackfill } from './postgres-state.ts';
import { startBackfill, type BackfillPlace } from './postgres-prepare.ts';
import { findKey, prepare, type KeyFound } from './prepare.ts';
import type { BackfillState } from './states.ts';
import { throttleOver } from './throttle.ts';
import { rest, rowsOf, viewBackfill, type Worker } from './worker.ts';
import { workRange, type RangeEnd } from './work-range.ts';

export interface Slice {
  readonly place: BackfillPlace;
  readonly spec: Backfill;
  /** Unique to this worker. */
  readonly worker: string;
  readonly untilMs: number;
  readonly limits: RunLimits;
  /** Ranges worked on at once. @default as many as the backfill says */
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
  /** There is more to do; `why` tells what was waited for, if something was. */
  | { readonly end: 'working'; readonly why: string | null }
  /** No worker may work on it. */
  | {
      readonly end: 'stopped';
      readonly state: BackfillState;
      readonly reason: string | null;
      readonly cause?: unknown;
    };

/** Between two looks for a range that somebody else holds, in milliseconds. */
const LOOK_MS = 1_000;

/** Works on a backfill until it is done or the time is over. Several may do so at once: each range has one holder. */
export async function workSlice(slice: Slice, ports: Ports): Promise<SliceEnd> {
  const { place, untilMs } = slice;
  const first = await viewBackfill(place, ports);
  if (first === null) return { end: 'stopped', state: 'cancelled', reason: 'the journal does not know it' };
  if (first.state === 'succeeded') return { end: 'worked' };
  if (first.state !== 'enqueued' && first.state !== 'running') {
    return { end: 'stopped', state: first.state, reason: first.reason };
  }
  const found = await keyFor(slice, first.key, ports);
  if ('flaw' in found) return stop(slice, 'failed', found.flaw, undefined, ports);
  await rowsOf(startBackfill(place), ports);
  const worker: Worker = {
    ...slice,
    ports,
    key: found.key,
    name: slice.worker,
    leaseMs: slice.limits.leaseMs,
    statementTimeoutMs: Math.min(PROBE_MS, slice.limits.statementTimeoutMs),
    idleTimeoutMs: slice.limits.idleTimeoutMs,
    throttle: throttleOver(ports),
    tools: {
      inTransaction: true,
      progress: (message) => ports.tell({ note: 'progress', migration: place.backfill, message }),
    },
  };
  if (!first.prepared) {
    try {
      if (!(await prepare(worker, first.captured)))
        return { end: 'working', why: 'the set of rows is being captured' };
    } catch (cause) {
      if (verdictOn(cause) !== 'hopeless') throw cause;
      return stop(slice, 'failed', kept(cause), cause, ports);
    }
  }
  for (;;) {
    const view = await viewBackfill(place, ports);
    if (view === null) return { end: 'stopped', state: 'cancelled', reason: 'the journal does not know it' };
    if (view.state === 'succeeded') return { end: 'worked' };
    if (view.state !== 'running') return { end: 'stopped', state: view.state, reason: view.reason };
    if (view.open.length === 0) return { end: 'worked' };
    if (ports.clock.now() > untilMs) return { end: 'working', why: null };
    if (!(await slice.mayGoOn())) return { end: 'working', why: 'the run was overtaken' };
    const ends = await workRanges(view.open, slice.lanes ?? view.parallel, worker);
    const trouble = ends.find((one) => one.end === 'trouble');
    if (trouble?.end === 'trouble') return stop(slice, trouble.to, trouble.reason, trouble.cause, ports);
    const late = ends.find((one) => one.end === 'time');
    if (late?.end === 'time') return { end: 'working', why: late.why };
    if (ends.every(({ end }) => end === 'left')) {
      ports.tell({ note: 'waiting', reason: 'another worker at this backfill', forMs: LOOK_MS });
      if (!(await rest(worker, LOOK_MS))) return { end: 'working', why: 'another worker is at it' };
    }
  }
}

/** A statement whose time nobody knows yet is stopped by the database after so long, in milliseconds. */
const PROBE_MS = 15_000;

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

/** So many ranges at once; whoever is done takes the next one. */
async function workRanges(
  numbers: readonly number[],
  parallel: number,
  worker: Worker,
): Promise<readonly RangeEnd[]> {
  const queue = numbers.values();
  const ends: RangeEnd[] = [];
  const lane = async (): Promise<void> => {
    for (const number of queue) {
      const end = await workRange(number, worker);
      ends.push(end);
      if (end.end === 'time' || end.end === 'trouble') return;
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: parallel }, lane));
  // One lane's failure is told once all others have come to an end: nothing works on unseen.
  for (const settled of lanes) if (settled.status === 'rejected') throw settled.reason;
  return ends;
}

async function stop(
  { place }: Slice,
  to: 'paused' | 'failed',
  reason: string,
  cause: unknown,
  ports: Ports,
): Promise<SliceEnd> {
  const from: readonly BackfillState[] = to === 'failed' ? ['enqueued', 'running'] : ['running'];
  await rowsOf(moveBackfill({ ...place, from, to, reason }), ports).catch(tolerate);
  return { end: 'stopped', state: to, reason, cause };
}
