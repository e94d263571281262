import { DatabaseFailure } from './database-failure.ts';
import type { ForerunError } from './errors.ts';
import { commitRefused, databaseUnavailable, migrationFailed, stateAfterRollback } from './failure-text.ts';
import type { Dialect, RunIdentity } from './journal.ts';
import type { RunLimits, TransactionLimits } from './limits.ts';
import type { Migration } from './migration.ts';
import type { Ports, Transaction } from './ports.ts';
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

export interface GroupWork {
  readonly group: readonly Migration[];
  readonly direction: 'up' | 'down';
  readonly identity: RunIdentity;
  readonly token: bigint;
  readonly deadlineMs: number;
  readonly limits: RunLimits;
  /** Steps that this run has committed already; for the message only. */
  readonly committed: readonly string[];
}

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
    if (!(await claim(transaction, work, inForce, dialect))) return { end: 'fenced' };
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

/** True when the fence held and the journal took exactly the claims of this group. */
async function claim(
  transaction: Transaction,
  work: GroupWork,
  limits: TransactionLimits,
  dialect: Dialect,
): Promise<boolean> {
  const { leaseMs, idleTimeoutMs } = work.limits;
  const statement = (work.direction === 'up' ? dialect.claim : dialect.unclaim)({
    ...work.identity,
    token: work.token,
    leaseMs,
    migrations: work.group,
    idleTimeoutMs,
    ...limits,
  });
  const { rows } = await transaction.execute(statement, { rows: true });
  const answer = rows[0];
  return answer !== undefined && answer['token'] !== null && answer['claimed'] === work.group.length;
}

function endOf(cause: unknown, trouble: Trouble | null, work: GroupWork, dialect: Dialect): GroupEnd {
  // Whatever became of a statement, the transaction around it was not told to commit.
  const conflict = isUnknown(cause) || (cause instanceof DatabaseFailure && dialect.isConflict(cause));
  return { end: conflict ? 'conflict' : 'failed', error: errorOf(cause, trouble, work) };
}

function errorOf(
  cause: unknown,
  trouble: Trouble | null,
  { group, direction, committed }: GroupWork,
): ForerunError {
  if (trouble !== null) return migrationFailed({ ...trouble, direction, group, committed });
  if (cause instanceof DatabaseFailure)
    return databaseUnavailable(cause, stateAfterRollback(group, committed));
  throw cause;
}

/**
 * A commit that the database answered with an error of its own (a deferred constraint, say) is rolled back for certain.
 * Anything else, "transaction not found" included, is decided by the journal.
 */
function endOfCommit(cause: unknown, work: GroupWork, dialect: Dialect): GroupEnd {
  if (!(cause instanceof DatabaseFailure) || cause.ran !== 'failed' || cause.kind !== 'sql') {
    return { end: 'unknown', reason: messageOf(cause) };
  }
  if (dialect.isConflict(cause)) return endOf(cause, null, work, dialect);
  return { end: 'failed', error: commitRefused(cause, work.group, work.committed) };
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** Best effort: without a commit nothing can stay, and the idle limit ends a transaction whose rollback got lost. */
async function rollBack(transaction: Transaction): Promise<void> {
  try {
    await transaction.rollback();
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure)) throw cause;
  }
}
