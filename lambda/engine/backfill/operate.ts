import { DatabaseFailure } from '../database-failure.ts';
import { ForerunError, UNTOUCHED } from '../errors.ts';
import type { Dialect } from '../journal.ts';
import type { RunLimits } from '../limits.ts';
import type { Migration } from '../migration.ts';
import type { Ports } from '../ports.ts';
import { isBackfill, sayDone, type BackfillMigration } from './in-run.ts';
import { listBackfills, moveBackfill, tuneBackfill } from './postgres-state.ts';
import { progressOf, type Progress } from './progress.ts';
import type { RangeView } from './range-view.ts';
import { EDGES, isOpen, type BackfillMove, type BackfillState } from './states.ts';
import { workSlice } from './work.ts';
import { rowsOf, viewBackfill } from './worker.ts';

/** A backfill as a person sees it; plain data. */
export interface BackfillData extends Progress {
  readonly id: string;
  readonly state: BackfillState;
  /** Whether the deploy waits for it. */
  readonly hold: boolean;
  /** Why it stopped; null otherwise. */
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
  readonly ranges: readonly RangeData[];
}

export interface RangeData extends Pick<
  RangeView,
  'number' | 'ended' | 'pass' | 'scanned' | 'batchRows' | 'cursor' | 'upper'
> {
  readonly changed: number;
  readonly batches: number;
}

/** What is known in the whole: who operates, over which history. */
export interface Operator {
  readonly history: string;
  readonly migrations: readonly Migration[];
  /** Unique to this call. */
  readonly worker: string;
  readonly limits: RunLimits;
  /** Ranges that this call works on at once. @default as many as the backfill says */
  readonly lanes?: number;
}

type Listed = Omit<BackfillData, 'scanned' | 'changed' | 'ranges' | keyof Progress> & {
  readonly ranges: readonly (RangeData & Pick<RangeView, 'recent'>)[];
};

/** Every backfill of the history, with how far it is; empty where no journal is installed. */
export async function backfills(
  history: string,
  ports: Ports,
  dialect: Dialect,
): Promise<readonly BackfillData[]> {
  try {
    const rows = await rowsOf(listBackfills(history), ports);
    // Built by our own statement.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return rows.map((row) => dataOf(row['answer'] as unknown as Listed));
  } catch (cause) {
    if (cause instanceof DatabaseFailure && dialect.lacksJournal(cause)) return [];
    throw cause;
  }
}

function dataOf(listed: Listed): BackfillData {
  const sum = (of: (range: RangeData) => number): number =>
    listed.ranges.reduce((total, range) => total + of(range), 0);
  const scanned = sum((range) => range.scanned);
  return {
    ...listed,
    ...progressOf({ total: listed.total, scanned, recent: listed.ranges.map(({ recent }) => recent) }),
    scanned,
    changed: sum((range) => range.changed),
    ranges: listed.ranges.map(({ recent: _recent, ...range }) => range),
  };
}

/** Moves a backfill along an edge of its states. @throws ForerunError `backfill-refused` where none leads on. */
export async function move(
  id: string,
  by: Extract<BackfillMove, 'pause' | 'resume' | 'cancel' | 'retry'>,
  operator: Operator,
  ports: Ports,
  dialect: Dialect,
): Promise<BackfillData> {
  const edges = EDGES.filter((edge) => edge.by === by);
  const [first] = edges;
  const place = { history: operator.history, backfill: id };
  const view = await known(id, operator, ports, dialect);
  if (first === undefined || !edges.some(({ from }) => from === view.state)) {
    if (view.state === first?.to) return view;
    throw new ForerunError('backfill-refused', {
      what: `${id} is ${view.state}, and "${by}" leads on only from ${edges.map(({ from }) => from).join(', ')}.`,
      state: 'Nothing was changed.',
      next: `From ${view.state} there is ${waysFrom(view.state)}.`,
    });
  }
  const reason = by === 'pause' || by === 'cancel' ? `a person asked for "${by}"` : null;
  await rowsOf(moveBackfill({ ...place, from: edges.map(({ from }) => from), to: first.to, reason }), ports);
  return known(id, operator, ports, dialect);
}

function waysFrom(state: BackfillState): string {
  const ways = EDGES.filter(({ from, by }) => from === state && by !== 'work' && by !== 'trouble');
  return ways.length === 0 ? 'nothing more to do' : ways.map(({ by }) => `"${by}"`).join(' and ');
}

export interface Tuned {
  readonly mostRows: number | null;
  readonly pauseMs: number | null;
  readonly parallel: number | null;
}

/** Changes how hard a backfill works; workers see it with their next batch, ranges already made stay as they are. */
export async function tune(
  id: string,
  tuned: Tuned,
  operator: Operator,
  ports: Ports,
  dialect: Dialect,
): Promise<BackfillData> {
  await known(id, operator, ports, dialect);
  await rowsOf(tuneBackfill({ history: operator.history, backfill: id, ...tuned }), ports);
  return known(id, operator, ports, dialect);
}

async function known(
  id: string,
  { history }: Operator,
  ports: Ports,
  dialect: Dialect,
): Promise<BackfillData> {
  const found = (await backfills(history, ports, dialect)).find((one) => one.id === id);
  if (found !== undefined) return found;
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

/**
 * Works on backfills, one after the other, until they are done or the time is over. One that a deploy waits for is left to the
 * deploy's own claim: here its rows are changed, and the next run says that it is done.
 */
export async function work(
  ids: readonly string[],
  operator: Operator,
  untilMs: number,
  ports: Ports,
): Promise<void> {
  for (const id of ids) {
    const migration = ownBackfill(id, operator);
    const place = { history: operator.history, backfill: id };
    const view = await viewBackfill(place, ports);
    if (view === null || !isOpen(view.state)) continue;
    if (view.checksum !== migration.checksum) {
      throw new ForerunError('backfill-refused', {
        what: `${id} is not the backfill that was begun: its file has changed.`,
        state: UNTOUCHED,
        next: `Ask the runner of the release that began it, or give it up with {"action":"cancel","backfill":"${id}"}.`,
      });
    }
    const slice = {
      place,
      spec: migration.backfill,
      worker: operator.worker,
      untilMs,
      limits: operator.limits,
      ...(operator.lanes === undefined ? {} : { lanes: operator.lanes }),
      mayGoOn: () => Promise.resolve(true),
    };
    const ended = await workSlice(slice, ports);
    if (ended.end === 'worked' && !migration.backfill.hold) await sayDone(place, ports);
  }
}
