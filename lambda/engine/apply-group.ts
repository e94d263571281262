import { claim } from './claim.ts';
import { DatabaseFailure } from './database-failure.ts';
import type { ForerunError } from './errors.ts';
import { commitRefused, databaseUnavailable, migrationFailed, stateAfterRollback } from './failure-text.ts';
import type { GroupWork } from './group-work.ts';
import type { Dialect } from './journal.ts';
import type { Ports, Transaction } from './ports.ts';
import { rollBack } from './roll-back.ts';
import { runMigration, type Trouble } from './run-migration.ts';
import { isUnknown, tagged } from './session.ts';
import { keepLimits, limitsFor } from './transaction-limits.ts';

/** How a group's transaction ended. */
export type GroupEnd =
  | { readonly end: 'committed' }
  /** Failed for certain; nothing of it stays. */
  | { readonly end: 'failed'; readonly error: ForerunError }
  /** Gave way to other sessions, or lost an answer before the commit; nothing of it stays, a repetition is sensible. */
  | { readonly end: 'conflict'; readonly error: ForerunError }
  /** The lease is not ours any more, or the journal moved: nothing was done. */
  | { readonly end: 'fenced' }
  /** The answer to the commit was lost: only the journal can tell. */
  | { readonly end: 'unknown'; readonly reason: string };

/** One transaction: the claim with its fence, the migrations' statements, the commit. */
export async function applyGroup(work: GroupWork, ports: Ports, dialect: Dialect): Promise<GroupEnd> {
  let transaction: Transaction;
  try {
    transaction = await ports.database.begin();
  } catch (cause) {
    return endOf(cause, null, work, dialect);
  }
  const end = await workInside(transaction, work, ports, dialect);
  if (end.end !== 'committed') await rollBack(transaction);
  return end;
}

async function workInside(
  transaction: Transaction,
  work: GroupWork,
  ports: Ports,
  dialect: Dialect,
): Promise<GroupEnd> {
  let inForce = limitsFor(work.group[0] ?? {}, work, ports.clock);
  try {
    if (!(await claim(work, inForce, transaction, dialect))) return { end: 'fenced' };
  } catch (cause) {
    return endOf(cause, null, work, dialect);
  }
  for (const migration of work.group) {
    if (migration.skipped === true) {
      ports.tell({ note: 'skipped', migration: migration.id });
      continue;
    }
    const trouble = await runMigration(migration, work, ports, async (numbered) => {
      inForce = await keepLimits(inForce, limitsFor(migration, work, ports.clock), transaction, dialect);
      return transaction.execute(tagged(numbered), numbered.options);
    });
    if (trouble !== null) return endOf(trouble.cause, trouble, work, dialect);
  }
  try {
    await transaction.commit();
    return { end: 'committed' };
  } catch (cause) {
    return endOfCommit(cause, work, dialect);
  }
}

function endOf(cause: unknown, trouble: Trouble | null, work: GroupWork, dialect: Dialect): GroupEnd {
  // Whatever became of a statement, the transaction around it was not told to commit.
  const gaveWay = cause instanceof DatabaseFailure && dialect.isConflict(cause);
  const conflict = gaveWay || isUnknown(cause);
  return { end: conflict ? 'conflict' : 'failed', error: errorOf(cause, gaveWay, trouble, work) };
}

function errorOf(
  cause: unknown,
  gaveWay: boolean,
  trouble: Trouble | null,
  { group, direction, committed }: GroupWork,
): ForerunError {
  if (trouble !== null) return migrationFailed({ ...trouble, gaveWay, direction, group, committed });
  if (cause instanceof DatabaseFailure)
    return databaseUnavailable(cause, stateAfterRollback(group, committed));
  throw cause;
}

/**
 * A commit that the database answered with an error of its own (a deferred constraint, say) is rolled back for certain.
 * Anything else, "transaction not found" included, is decided by the journal.
 */
function endOfCommit(cause: unknown, work: GroupWork, dialect: Dialect): GroupEnd {
  // AWS has not let the commit in, however often it was asked: nothing ran, and the whole group again would meet the same.
  if (cause instanceof DatabaseFailure && cause.kind === 'denied' && cause.ran === 'no') {
    return { end: 'failed', error: errorOf(cause, false, null, work) };
  }
  if (!(cause instanceof DatabaseFailure) || cause.ran !== 'failed' || cause.kind !== 'sql') {
    return { end: 'unknown', reason: messageOf(cause) };
  }
  if (dialect.isConflict(cause)) return endOf(cause, null, work, dialect);
  return { end: 'failed', error: commitRefused(cause, work.group, work.committed) };
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
