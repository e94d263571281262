import type { Dialect } from './journal.ts';
import { RESERVE_MS, type RunLimits, type TransactionLimits } from './limits.ts';
import type { Migration } from './migration.ts';
import type { Clock, Transaction } from './ports.ts';

interface Terms {
  readonly limits: RunLimits;
  readonly deadlineMs: number;
}

/** How much longer than the time left a statement may be allowed, so that not every one costs a call near the end. */
const SLACK_MS = RESERVE_MS / 2;

/** What a migration's next statement may take. */
export function limitsFor(
  { lockTimeoutMs }: Pick<Migration, 'lockTimeoutMs'>,
  { limits, deadlineMs }: Terms,
  clock: Clock,
): TransactionLimits {
  const left = deadlineMs - RESERVE_MS - clock.now();
  return {
    lockTimeoutMs: lockTimeoutMs ?? limits.lockTimeoutMs,
    statementTimeoutMs: Math.max(1, Math.min(limits.statementTimeoutMs, left)),
  };
}

/**
 * Brings a transaction's limits up to date before a statement: a migration may have its own, and near the deadline a
 * statement may take no longer than what is left. Gives back what is in force; costs a call only where that changes.
 */
export async function keepLimits(
  inForce: TransactionLimits,
  wanted: TransactionLimits,
  transaction: Transaction,
  dialect: Dialect,
): Promise<TransactionLimits> {
  const tooLong = inForce.statementTimeoutMs > wanted.statementTimeoutMs + SLACK_MS;
  if (!tooLong && inForce.lockTimeoutMs === wanted.lockTimeoutMs) return inForce;
  await transaction.execute(dialect.limit(wanted), { rows: false });
  return wanted;
}
