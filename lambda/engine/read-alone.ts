import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import type { Dialect } from './journal.ts';
import type { Database, Statement, StatementResult } from './ports.ts';
import { rollBack } from './roll-back.ts';
import { readStatement } from './statement-guard.ts';

const READS: readonly string[] = ['select', 'values', 'table', 'with', 'show', 'explain'];

/** read_only_sql_transaction (PostgreSQL documentation, appendix A). */
const READ_ONLY = '25006';

/**
 * Whether a statement whose rows are wanted is there to read. Nothing is recorded of a read, so it must not write; and
 * what writes is not done twice, so the rows it would return are not there when the migration is run again.
 */
export function isRead(sql: string): boolean {
  const { words } = readStatement(sql);
  if (READS.includes(words[0] ?? '')) return true;
  if (!words.includes('returning')) return false;
  throw new ForerunError('statement-refused', {
    what: 'A statement with returning was sent outside a transaction, where a statement that is done is not sent again.',
    state: 'It was not sent.',
    next: 'Leave returning out and read the rows with a statement of their own, or take transaction: false away.',
  });
}

/** Reads outside the migration's effect; PostgreSQL itself sees to it that nothing is written. */
export async function readAlone(
  statement: Statement,
  database: Database,
  dialect: Dialect,
): Promise<StatementResult> {
  const transaction = await database.begin();
  try {
    await transaction.execute(dialect.readOnly(), { rows: false });
    return await transaction.execute(statement, { rows: true });
  } catch (cause) {
    throw cause instanceof DatabaseFailure && cause.sqlState === READ_ONLY ? writesWhileReading() : cause;
  } finally {
    await rollBack(transaction);
  }
}

function writesWhileReading(): ForerunError {
  return new ForerunError('statement-refused', {
    what: 'A statement whose rows were asked for writes, and this migration has no transaction that could record it.',
    state: 'It changed nothing.',
    next: 'Send it with op.execute, which asks for no rows, and read what is needed with a statement of its own.',
  });
}
