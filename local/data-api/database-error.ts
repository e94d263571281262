import { DatabaseError } from 'pg';
import { ServiceError } from './service-error.ts';

/** The server is not there or is going: the caller may try again. https://www.postgresql.org/docs/17/errcodes-appendix.html */
const UNAVAILABLE: ReadonlySet<string> = new Set(['57P01', '57P02', '57P03']);

/** Turns what went wrong between us and PostgreSQL into the service's answer. */
export function databaseError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (!(error instanceof DatabaseError)) {
    // Not the server's own word, so the connection was refused or is gone.
    return new ServiceError('DatabaseUnavailableException', 'The database could not be reached');
  }
  const sqlState = error.code ?? 'XX000';
  if (UNAVAILABLE.has(sqlState)) {
    return new ServiceError('DatabaseUnavailableException', error.message, { sqlState });
  }
  const lines = [
    `${error.severity ?? 'ERROR'}: ${error.message}`,
    ...(error.detail === undefined ? [] : [`Detail: ${error.detail}`]),
    ...(error.hint === undefined ? [] : [`Hint: ${error.hint}`]),
    ...(error.position === undefined ? [] : [`Position: ${error.position}`]),
  ];
  return new ServiceError('DatabaseErrorException', `${lines.join('\n  ')}; SQLState: ${sqlState}`, {
    sqlState,
  });
}

/** What every statement gets in a transaction that already failed. */
export function transactionAborted(): ServiceError {
  const message = 'ERROR: current transaction is aborted, commands ignored until end of transaction block';
  return new ServiceError('DatabaseErrorException', `${message}; SQLState: 25P02`, { sqlState: '25P02' });
}
