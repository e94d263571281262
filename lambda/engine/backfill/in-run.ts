import { DatabaseFailure } from '../database-failure.ts';
import { ForerunError } from '../errors.ts';
import type { RunIdentity } from '../journal.ts';
import { RESERVE_MS, type RunLimits } from '../limits.ts';
import type { Migration } from '../migration.ts';
import type { Ports, Row, Session } from '../ports.ts';
import type { Backfill, BatchTools } from './backfill.ts';
import { verdictOn } from './failure.ts';
import { dropTarget, finishBackfill, type BackfillPlace } from './postgres-prepare.ts';
import { enqueueBackfill, forgetBackfill, holdBackfill, renewRun } from './postgres-state.ts';
import { rewriteOf, waysOut } from './refusals.ts';
import { inTransaction } from './step.ts';
import { workSlice, type SliceEnd } from './work.ts';
import { rowsOf } from './worker.ts';

/** A migration that is a backfill. */
export type BackfillMigration = Migration & { readonly backfill: Backfill };

export const isBackfill = (migration: Migration): migration is BackfillMigration =>
  migration.backfill !== undefined && migration.skipped !== true;

/** What of a run the work on a backfill needs. */
export interface RunAtWork {
  readonly identity: RunIdentity;
  readonly token: bigint;
  readonly deadlineMs: number;
  readonly limits: RunLimits;
}

/** How often a run renews its lease while it works on a backfill: each share of its length. */
const RENEWALS = 4;

/**
 * A backfill as a step of a transaction. Going up, one that holds the deploy is said to be done, and any other is enqueued; the
 * migration is claimed in the same transaction. Going down, the work is ended first: then nothing of it can come after.
 */
export function asStep(migration: Migration, history: string): Migration {
  if (!isBackfill(migration)) return migration;
  const { backfill, checksum, down, id } = migration;
  const place = { history, backfill: id };
  return {
    ...migration,
    up: (session, tools) =>
      backfill.hold ? finishIn(session, place, tools) : enqueueIn(session, place, checksum, backfill),
    down:
      down.kind === 'irreversible'
        ? down
        : {
            kind: 'reversible',
            async run(session, tools) {
              await session.execute(holdBackfill(place), { rows: false });
              await session.execute(forgetBackfill(place), { rows: false });
              if (backfill.frozen) await session.execute(dropTarget(place), { rows: false });
              await down.run(session, tools);
            },
          },
  };
}

async function enqueueIn(
  session: Session,
  place: BackfillPlace,
  checksum: string,
  { hold, frozen, tuning }: Backfill,
): Promise<void> {
  const order = enqueueBackfill({ ...place, checksum, hold, frozen, ...tuning });
  const { rows } = await session.execute(order, { rows: true });
  // The set that the earlier file has captured is not this one's.
  if (rows[0]?.['was'] === 'cancelled') await session.execute(dropTarget(place), { rows: false });
}

async function finishIn(
  session: Session,
  place: BackfillPlace,
  { progress }: Pick<BatchTools, 'progress'>,
): Promise<void> {
  await session.execute(dropTarget(place), { rows: false });
  const { rows } = await session.execute(finishBackfill(place, null), { rows: true });
  const reason = reasonOf(rows);
  if (reason !== null) progress(reason);
  if (rows[0]?.['finished'] === 1) return;
  throw new ForerunError('backfill-stopped', {
    what: `The backfill ${place.backfill} was stopped in the moment in which it was done.`,
    state: 'What it has changed stands.',
    next: 'Look at it with {"action":"backfills"}, and run again.',
  });
}

/** How the work on a backfill within a run ended. */
export type HeldEnd =
  | { readonly end: 'done' }
  | { readonly end: 'failed'; readonly error: ForerunError; readonly partial: true }
  | { readonly end: 'fenced' }
  | { readonly end: 'unknown'; readonly reason: string };

/** Works on a backfill within the run, until it is done or the run's time is over. */
export async function workInRun(
  migration: BackfillMigration,
  run: RunAtWork,
  ports: Ports,
): Promise<HeldEnd> {
  const { identity, token, limits } = run;
  const place = { history: identity.history, backfill: migration.id };
  const renew = renewRun({
    history: identity.history,
    runId: identity.runId,
    token,
    leaseMs: limits.leaseMs,
  });
  try {
    if (migration.backfill.hold && !(await enqueueHeld(migration, place, renew, run, ports)))
      return { end: 'fenced' };
    let renewedMs = ports.clock.now();
    let ours = true;
    let begun = false;
    const slice = await workSlice(
      {
        place,
        checksum: migration.checksum,
        spec: migration.backfill,
        worker: identity.runId,
        untilMs: run.deadlineMs - 3 * RESERVE_MS,
        limits,
        onBatch() {
          begun = true;
        },
        async mayGoOn() {
          if (ports.clock.now() - renewedMs < limits.leaseMs / RENEWALS) return ours;
          try {
            ours = (await rowsOf(renew, ports)).length > 0;
            renewedMs = ports.clock.now();
          } catch (cause) {
            // Whoever takes the lease meanwhile is found by the next renewal, and each range has a fence of its own.
            if (verdictOn(cause) !== 'unable') throw cause;
          }
          return ours;
        },
      },
      ports,
    );
    if (!ours) return { end: 'fenced' };
    if (slice.end !== 'worked')
      return { end: 'failed', partial: true, error: endText(migration, slice, begun) };
    if (!migration.backfill.hold) await sayDone(place, identity.runId, ports);
    return { end: 'done' };
  } catch (cause) {
    if (cause instanceof DatabaseFailure && cause.ran === 'unknown') {
      return { end: 'unknown', reason: cause.message };
    }
    throw cause;
  }
}

/** The row of a backfill that holds the deploy, written behind the run's fence. */
async function enqueueHeld(
  { backfill, checksum }: BackfillMigration,
  place: BackfillPlace,
  renew: ReturnType<typeof renewRun>,
  { limits: { statementTimeoutMs, idleTimeoutMs } }: RunAtWork,
  ports: Ports,
): Promise<boolean> {
  return inTransaction({ ports, statementTimeoutMs, idleTimeoutMs }, async (transaction) => {
    const { rows } = await transaction.execute(renew, { rows: true });
    if (rows.length > 0) await enqueueIn(transaction, place, checksum, backfill);
    return rows.length > 0;
  });
}

/** Every range is done: the set of keys goes, and the backfill counts as done. Safe to repeat. */
export async function sayDone(place: BackfillPlace, worker: string, ports: Ports): Promise<void> {
  await rowsOf(dropTarget(place), ports);
  const reason = reasonOf(await rowsOf(finishBackfill(place, worker), ports));
  const { backfill } = place;
  ports.tell({ note: 'backfill', backfill, state: 'succeeded', reason, total: null, scanned: null });
}

/** What there is to say of a backfill that is done. */
function reasonOf([row]: readonly Row[]): string | null {
  const reason = row?.['reason'];
  return typeof reason === 'string' ? reason : null;
}

function endText(
  { id, backfill }: BackfillMigration,
  slice: Exclude<SliceEnd, { end: 'worked' }>,
  begun: boolean,
): ForerunError {
  const place = { migration: id };
  if (slice.end === 'working' && !begun) {
    return new ForerunError(
      'backfill-working',
      {
        what: `The backfill ${id} is not done, and this run has begun no batch of it: its time was over first${slice.why === null ? '' : ` (it waited for: ${slice.why})`}.`,
        state: 'This run changed no row of it; what others have changed stands.',
        next: 'Run again, or deploy again: a run keeps its last half minute for a clean end, and batches need some time before that.',
      },
      { place },
    );
  }
  if (slice.end === 'working') {
    return new ForerunError(
      'backfill-working',
      {
        what: `The backfill ${id} is not done, and the time of this run is over${slice.why === null ? '' : ` (it waited for: ${slice.why})`}.`,
        state: 'What it has changed stands, and its cursor is behind it.',
        next: 'Run again, or deploy again: the next run goes on from the cursor. {"action":"backfills"} shows how far it is.',
      },
      { place },
    );
  }
  return new ForerunError(
    'backfill-stopped',
    {
      what: `The backfill ${id} is ${slice.state}${slice.reason === null ? '' : `: ${slice.reason}`}${wordsOf(slice.cause)}.`,
      state: 'What it has changed before stands; the batch that failed changed nothing.',
      next: waysOut({ id, state: slice.state }, rewriteOf(backfill)),
    },
    { place, cause: slice.cause },
  );
}

/** The database's own words, for whoever asked; the journal keeps none of them. */
const wordsOf = (cause: unknown): string =>
  cause instanceof DatabaseFailure ? ` (${cause.message.replace(/[.\s]+$/, '')})` : '';
