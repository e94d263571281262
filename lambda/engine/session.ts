import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import type { ExecuteOptions, Session, Statement, StatementResult } from './ports.ts';
import { refuseTransactionControl } from './statement-guard.ts';

/** The service's limit for one statement (RDS Data API model, `sql`). */
const MAX_STATEMENT_CHARACTERS = 65_536;

/** What is left of a statement in messages. */
const SHOWN_CHARACTERS = 300;

/** The first thing that went wrong in a migration, wherever its author let the error go. */
export interface Mishap {
  readonly cause: unknown;
  readonly statement: number;
  readonly sql: string;
}

/** A migration's session and what the run must know before it may commit. */
export interface MigrationSession extends Session {
  /** Number of statements sent. */
  sent(): number;
  /** Waits for statements nobody awaited, closes the session, and tells the first mishap. */
  close(): Promise<Mishap | null>;
}

/**
 * Sends a migration's statements one at a time and remembers the first failure. PostgreSQL answers the commit of a failed
 * transaction with a rollback and no error, so a failure that the migration caught must still stop the commit; and a
 * statement nobody awaited must neither run beside another one nor after the commit.
 */
export function openSession(migrationId: string, carryOut: CarryOut): MigrationSession {
  let mishap: Mishap | null = null;
  let closed = false;
  let sent = 0;
  let unsettled = 0;
  let tail: Promise<unknown> = Promise.resolve();

  const send = async (
    number: number,
    statement: Statement,
    options: ExecuteOptions,
  ): Promise<StatementResult> => {
    if (mishap !== null) throw mishap.cause;
    try {
      refuseTransactionControl(statement.sql);
      const tag = tagOf(migrationId, number);
      refuseTooLong(`${tag} ${statement.sql}`);
      return await carryOut({ number, tag, statement, options });
    } catch (cause) {
      mishap ??= { cause, statement: number, sql: shorten(statement.sql) };
      throw cause;
    }
  };

  return {
    execute(statement, options) {
      if (closed) return Promise.reject(tooLate(statement));
      sent += 1;
      unsettled += 1;
      const number = sent;
      const result = tail.then(() => send(number, statement, options)).finally(() => (unsettled -= 1));
      tail = result.catch(() => undefined);
      return result;
    },
    sent: () => sent,
    async close() {
      const forgotten = unsettled;
      closed = true;
      await tail;
      if (mishap === null && forgotten > 0) {
        mishap = { cause: notAwaited(forgotten), statement: sent, sql: '' };
      }
      return mishap;
    },
  };
}

/** A statement of a migration, its place, and the comment by which it is recognised wherever the database shows it. */
export interface NumberedStatement {
  readonly number: number;
  readonly tag: string;
  readonly statement: Statement;
  readonly options: ExecuteOptions;
}

export type CarryOut = (numbered: NumberedStatement) => Promise<StatementResult>;

/** A statement that is sent as the author wrote it, behind its tag. */
export const tagged = ({ tag, statement }: NumberedStatement): Statement => ({
  ...statement,
  sql: `${tag} ${statement.sql}`,
});

const tagOf = (migrationId: string, number: number): string => `/* forerun ${migrationId}#${number} */`;

/** True when nobody can tell whether the statement ran. */
export function isUnknown(cause: unknown): boolean {
  return cause instanceof DatabaseFailure && cause.ran === 'unknown';
}

function refuseTooLong(sql: string): void {
  if (sql.length <= MAX_STATEMENT_CHARACTERS) return;
  throw new ForerunError('statement-refused', {
    what: `A statement has ${sql.length.toLocaleString('en')} characters; the Data API takes ${MAX_STATEMENT_CHARACTERS.toLocaleString('en')}.`,
    state: 'It was not sent.',
    next: 'Split it, or send large values as parameters or through op.bulkInsert.',
  });
}

function notAwaited(count: number): ForerunError {
  return new ForerunError('statement-refused', {
    what: `The migration ended while ${count === 1 ? 'a statement' : `${count} statements`} of its own ${count === 1 ? 'was' : 'were'} still under way.`,
    state: 'Its transaction was not committed.',
    next: 'Put `await` before every statement.',
  });
}

function tooLate(statement: Statement): ForerunError {
  return new ForerunError('statement-refused', {
    what: `A statement came after its migration had ended: ${shorten(statement.sql)}`,
    state: 'It was not sent.',
    next: 'Put `await` before every statement.',
  });
}

const shorten = (sql: string): string => {
  const oneLine = sql.replaceAll(/\s+/g, ' ').trim();
  return oneLine.length > SHOWN_CHARACTERS ? `${oneLine.slice(0, SHOWN_CHARACTERS)} …` : oneLine;
};
