import { DatabaseFailure } from '../database-failure.ts';
import { ForerunError, UNTOUCHED } from '../errors.ts';
import type { Dialect } from '../journal.ts';
import type { RunLimits } from '../limits.ts';
import type { Migration } from '../migration.ts';
import type { Ports, Statement } from '../ports.ts';
import { isBackfill, sayDone, type BackfillMigration } from './in-run.ts';
import { endBatches, moveAlong } from './move.ts';
import type { PacePoint } from './pace.ts';
import { listBackfills, openBackfills, showBackfill } from './postgres-listing.ts';
import { tuneBackfill } from './postgres-state.ts';
import { allRangesDone, progressOf, type Progress } from './progress.ts';
import { answerOf, type RangeView, type Sample } from './range-view.ts';
import { EDGES, isOpen, type BackfillMove, type BackfillState } from './states.ts';
import { workSlice, type SliceEnd } from './work.ts';
import { rowsOf, viewBackfill } from './worker.ts';

/** A backfill as a person sees it; plain data. */
export interface BackfillData extends Progress {
  readonly id: string;
  readonly state: BackfillState;
  /** Whether the deploy waits for it. */
  readonly hold: boolean;
  /** Why it stopped, or what it has left as it was where it succeeded; null otherwise. */
  readonly reason: string | null;
  /** Rows there are to look at, estimated unless the set is frozen; null where nobody knows. */
  readonly total: number | null;
  readonly scanned: number;
  readonly changed: number;
  readonly enqueuedAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly pauseMs: number;
  readonly mostRows: number | null;
  readonly parallel: number;
  /** Ranges there are; those that are done; those that a worker alive holds. */
  readonly rangeCount: number;
  readonly rangesEnded: number;
  readonly rangesHeld: number;
  /** Whether all that is left is to look once more for rows that came late. */
  readonly sweeps: boolean;
  /** Whether all that is left waits for transactions to end that may have written behind a cursor. */
  readonly waits: boolean;
  /** In a list a few that are not done; in detail a hundred at most, those that are not done first of all. */
  readonly ranges: readonly RangeData[];
  /** What happened to it, the newest first: the last few, or in detail up to fifty. */
  readonly events: readonly BackfillEventData[];
  /** In detail only: how its batches went, thinned out to two hundred points at most. */
  readonly batches?: readonly BatchesData[];
}

/** A change of state, or of the speed: then both states are the same. */
export interface BackfillEventData {
  readonly at: string;
  readonly move: BackfillMove | 'tune';
  /** Null where it was enqueued for the first time. */
  readonly from: BackfillState | null;
  readonly to: BackfillState;
  readonly reason: string | null;
  /** The worker, or what the caller said of itself; nobody has checked that. */
  readonly by: string | null;
  /** What `tune` has left. */
  readonly settings: Pick<BackfillData, 'mostRows' | 'pauseMs' | 'parallel'> | null;
}

/** Batches of one range, made one after the other. */
export interface BatchesData {
  /** When the first of them began, in milliseconds since 1970. */
  readonly atMs: number;
  readonly batches: number;
  /** Rows that they looked at. */
  readonly rows: number;
  /** How long they took together, without the pauses. */
  readonly milliseconds: number;
}

export interface RangeData extends Pick<RangeView, 'number' | 'ended' | 'pass' | 'scanned' | 'batchRows'> {
  /** Whether it waits for transactions to end that may have written behind its cursor. */
  readonly waits: boolean;
  readonly changed: number;
  readonly batches: number;
  /** In detail only, as the next member. */
  readonly cursor?: RangeView['cursor'];
  readonly upper?: RangeView['upper'];
}

/** What is known in the whole: who operates, over which history. */
export interface Operator {
  readonly history: string;
  readonly migrations: readonly Migration[];
  /** Unique to this call. */
  readonly worker: string;
  readonly limits: RunLimits;
  /**
   * Ranges that this call works on at once, whatever is tuned meanwhile: an engine with several calls beside each other, each
   * under a name of its own, asks for one. @default the backfill's `parallel`, which is the limit for all workers together
   */
  readonly lanes?: number;
}

type Listed = Omit<BackfillData, 'batches' | keyof Progress> & {
  readonly recent: readonly (readonly Sample[])[];
  readonly pace?: readonly PacePoint[];
};

/** What a list shows: those that have stopped, then those that are open, then the rest, among them the newest first. */
export interface BackfillList {
  readonly backfills: readonly BackfillData[];
  /** How many there are that the list has no room for. */
  readonly more: number;
  /** Those of the whole history out of which only a person helps. */
  readonly stopped: number;
}

/** The backfills of the history or those of these names, with how far they are; empty where no journal is installed. */
export async function backfills(
  history: string,
  ports: Ports,
  dialect: Dialect,
  only: readonly string[] | null = null,
): Promise<BackfillList> {
  const found = await answered<{
    readonly all: number;
    readonly stopped: number;
    readonly backfills: readonly Listed[];
  }>(listBackfills(history, only), ports, dialect);
  if (found === null) return { backfills: [], more: 0, stopped: 0 };
  const { all, stopped, backfills: listed } = found;
  return { backfills: listed.map(dataOf), more: all - listed.length, stopped };
}

/** Names of the backfills on which a worker may work. */
export async function openIds(history: string, ports: Ports, dialect: Dialect): Promise<readonly string[]> {
  return (await answered<readonly string[]>(openBackfills(history), ports, dialect)) ?? [];
}

/** Null where no journal is installed. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
async function answered<T>(statement: Statement, ports: Ports, dialect: Dialect): Promise<T | null> {
  try {
    return answerOf<T>(await rowsOf(statement, ports));
  } catch (cause) {
    if (cause instanceof DatabaseFailure && dialect.lacksJournal(cause)) return null;
    throw cause;
  }
}

function dataOf({ recent, pace, ...backfill }: Listed): BackfillData {
  const { total, scanned } = backfill;
  return {
    ...backfill,
    ...progressOf({ total, scanned, recent }),
    // Nobody may have known how many rows there are; when it is done, all of them are.
    ...(backfill.state === 'succeeded' || allRangesDone(backfill) ? { share: 1 } : {}),
    ...(pace === undefined ? {} : { batches: pace.map(batchesOf) }),
  };
}

const batchesOf = ([atMs, batches, rows, milliseconds]: PacePoint): BatchesData => ({
  atMs,
  batches,
  rows,
  milliseconds,
});

/** Why a person asks, and who it is, in the person's own words. */
export interface Asked {
  readonly reason: string | null;
  readonly by: string | null;
}

/** Moves a backfill along an edge of its states. @throws ForerunError `backfill-refused` where none leads on. */
export async function move(
  id: string,
  way: Extract<BackfillMove, 'pause' | 'resume' | 'cancel' | 'retry'>,
  asked: Asked,
  operator: Operator,
  ports: Ports,
  dialect: Dialect,
): Promise<BackfillData> {
  const edges = EDGES.filter(({ by }) => by === way);
  const [first] = edges;
  const place = { history: operator.history, backfill: id };
  const view = await oneBackfill(id, operator, ports, dialect);
  if (first === undefined || !edges.some(({ from }) => from === view.state)) {
    if (view.state === first?.to) {
      // Whoever asked before may not have come to wait for the batches under way.
      await endBatches(place, ports);
      return oneBackfill(id, operator, ports, dialect);
    }
    throw new ForerunError('backfill-refused', {
      what: `${id} is ${view.state}, and "${way}" leads on only from ${edges.map(({ from }) => from).join(', ')}.`,
      state: 'Nothing was changed.',
      next: `From ${view.state} there is ${waysFrom(view.state)}.`,
    });
  }
  const stops = way === 'pause' || way === 'cancel';
  const reason = asked.reason ?? (stops ? `a person asked for "${way}"` : null);
  await moveAlong({ ...place, move: way, to: first.to, reason, by: asked.by }, ports);
  return oneBackfill(id, operator, ports, dialect);
}

const BY_PERSONS: ReadonlySet<BackfillMove> = new Set(['pause', 'resume', 'retry', 'cancel']);

function waysFrom(state: BackfillState): string {
  const ways = EDGES.filter(({ from, by }) => from === state && BY_PERSONS.has(by));
  return ways.length === 0 ? 'nothing more to do' : ways.map(({ by }) => `"${by}"`).join(' and ');
}

export interface Tuned {
  readonly mostRows: number | null;
  readonly pauseMs: number | null;
  readonly parallel: number | null;
}

/** Changes how hard a backfill works; workers see it with their next batch. More of them split the ranges that are there. */
export async function tune(
  id: string,
  tuned: Tuned,
  asked: Asked,
  operator: Operator,
  ports: Ports,
  dialect: Dialect,
): Promise<BackfillData> {
  await oneBackfill(id, operator, ports, dialect);
  await rowsOf(tuneBackfill({ history: operator.history, backfill: id, ...tuned, ...asked }), ports);
  return oneBackfill(id, operator, ports, dialect);
}

/** One backfill in detail. @throws ForerunError `backfill-refused` where the journal knows none of this name. */
export async function oneBackfill(
  id: string,
  { history }: Pick<Operator, 'history'>,
  ports: Ports,
  dialect: Dialect,
): Promise<BackfillData> {
  const found = await answered<Listed>(showBackfill(history, id), ports, dialect);
  if (found !== null) return dataOf(found);
  throw new ForerunError('backfill-refused', {
    what: `The journal knows no backfill "${id}".`,
    state: UNTOUCHED,
    next: 'Name one in full; {"action":"backfills"} lists them.',
  });
}

/** The backfill of this name in the bundle. @throws ForerunError `backfill-refused` where there is none. */
export function ownBackfill(id: string, { migrations }: Operator): BackfillMigration {
  const found = migrations.find((one) => one.id === id);
  if (found !== undefined && isBackfill(found)) return found;
  throw new ForerunError('backfill-refused', {
    what: `This release has no backfill "${id}".`,
    state: UNTOUCHED,
    next: 'Ask the runner of the release that holds it.',
  });
}

/** What a call for work leaves. */
export interface Worked {
  /**
   * How long nothing may be done yet, in milliseconds, because the pause between two batches is not over; null where all is done, and
   * where nobody knows.
   */
  readonly restMs: number | null;
  /** Backfills that this release cannot work on. */
  readonly passedOver: readonly PassedOver[];
}

/** A backfill that is open, but not this release's: a newer one's after a rollback, for example. */
export interface PassedOver {
  readonly id: string;
  readonly reason: string;
}

/**
 * Works on backfills, one after the other, until they are done or the time is over. One that a deploy waits for is left to the
 * deploy's own claim: here its rows are changed, and the next run says that it is done.
 *
 * @throws ForerunError `backfill-refused` where one of them is not this release's
 */
export async function work(
  ids: readonly string[],
  operator: Operator,
  untilMs: number,
  ports: Ports,
): Promise<Worked> {
  const ends: SliceEnd[] = [];
  for (const id of ids) {
    const migration = await toWorkOn(id, operator, ports);
    if (migration !== null) ends.push(await workOn(migration, operator, untilMs, ports));
  }
  return { restMs: restOf(ends), passedOver: [] };
}

/** The same for those of these that are this release's; the others are passed over, and told of. */
export async function workOnOwn(
  ids: readonly string[],
  operator: Operator,
  untilMs: number,
  ports: Ports,
): Promise<Worked> {
  const ends: SliceEnd[] = [];
  const passedOver: PassedOver[] = [];
  for (const id of ids) {
    const migration = await toWorkOn(id, operator, ports).catch((cause: unknown) => {
      if (!(cause instanceof ForerunError)) throw cause;
      const reason = cause.text.what;
      passedOver.push({ id, reason });
      ports.tell({ note: 'passed-over', backfill: id, reason });
      return null;
    });
    if (migration !== null) ends.push(await workOn(migration, operator, untilMs, ports));
  }
  return { restMs: restOf(ends), passedOver };
}

/** The backfill as this release has it; null where there is nothing to do on it. */
async function toWorkOn(id: string, operator: Operator, ports: Ports): Promise<BackfillMigration | null> {
  const migration = ownBackfill(id, operator);
  const view = await viewBackfill({ history: operator.history, backfill: id }, ports);
  if (view === null || !isOpen(view.state)) return null;
  if (view.checksum === migration.checksum) return migration;
  throw new ForerunError('backfill-refused', {
    what: `${id} is not the backfill that was begun: its file has changed.`,
    state: UNTOUCHED,
    next: `Ask the runner of the release that began it, or give it up with {"action":"cancel","backfill":"${id}"}.`,
  });
}

async function workOn(
  { id, checksum, backfill }: BackfillMigration,
  operator: Operator,
  untilMs: number,
  ports: Ports,
): Promise<SliceEnd> {
  const place = { history: operator.history, backfill: id };
  const slice = {
    place,
    checksum,
    spec: backfill,
    worker: operator.worker,
    untilMs,
    limits: operator.limits,
    ...(operator.lanes === undefined ? {} : { lanes: operator.lanes }),
    mayGoOn: () => Promise.resolve(true),
  };
  const ended = await workSlice(slice, ports);
  if (ended.end === 'worked' && !backfill.hold) await sayDone(place, operator.worker, ports);
  return ended;
}

function restOf(ends: readonly SliceEnd[]): number | null {
  const rests = ends.filter((one) => one.end === 'working').map(({ restMs }) => restMs);
  const known = rests.filter((restMs) => restMs !== null);
  return known.length === 0 || known.length < rests.length ? null : Math.min(...known);
}
