import { tolerate } from './database-failure.ts';
import type { Transaction } from './ports.ts';

/** Best effort: without a commit nothing can stay, and the idle limit ends a transaction whose rollback got lost. */
export async function rollBack(transaction: Transaction): Promise<void> {
  await transaction.rollback().catch(tolerate);
}
