import { DatabaseFailure } from './database-failure.ts';
import { ForerunError, UNTOUCHED, type ErrorPlace } from './errors.ts';
import type { Migration } from './migration.ts';
import { list } from './plan.ts';

/** What a failed migration says: the place, the database's own words, what stays and what goes. */
export function migrationFailed(facts: {
  migration: Migration;
  direction: 'up' | 'down';
  /** Null when the migration threw without a statement having failed. */
  statement: { number: number; sql: string } | null;
  /** File and line of the author's code that threw. */
  authorPlace?: string;
  cause: unknown;
  /** The database gave way in a conflict with other sessions; nothing is wrong with the migration. */
  gaveWay: boolean;
  group: readonly Migration[];
  /** Steps of this run that had been committed before. */
  committed: readonly string[];
  /** Outside a transaction: whether statements of the migration are done and stand. */
  partial?: boolean;
}): ForerunError {
  const { migration, direction, statement, authorPlace, cause, gaveWay, group, committed, partial } = facts;
  const sqlState = cause instanceof DatabaseFailure ? cause.sqlState : undefined;
  const where = statement === null ? '' : ` at statement ${statement.number}`;
  const details = [
    ...(authorPlace === undefined ? [] : [authorPlace]),
    ...(statement === null ? [] : originOf(statement.sql)),
    ...(sqlState === undefined ? [] : [`SQLSTATE ${sqlState}`]),
  ];
  const code = details.length === 0 ? '' : ` (${details.join(', ')})`;
  const verb = direction === 'up' ? 'failed' : 'could not be reverted: its down failed';
  const place: ErrorPlace = {
    migration: migration.id,
    ...(statement === null ? {} : { statement: statement.number }),
    ...(statement === null || statement.sql === '' ? {} : { sql: statement.sql }),
    ...(sqlState === undefined ? {} : { sqlState }),
  };
  return new ForerunError(
    cause instanceof ForerunError ? cause.code : 'migration-failed',
    {
      what: `${migration.id} ${verb}${where}${code}: ${sentence(reasonOf(cause))}`,
      state:
        partial === undefined
          ? stateAfterRollback(group, committed)
          : stateOutsideTransaction(migration, partial, committed),
      next: cause instanceof ForerunError ? cause.text.next : adviceFor(cause, gaveWay, migration),
    },
    { place, cause },
  );
}

/** The comment in front of a statement that came out of a file or carries many rows: it tells which. */
function originOf(sql: string): readonly string[] {
  const origin = /^\/\* ([^*]{1,120}) \*\//.exec(sql)?.[1];
  return origin === undefined ? [] : [origin];
}

/** What is said when the database could not be asked at all. */
export function databaseUnavailable(failure: DatabaseFailure, state = 'Nothing was changed.'): ForerunError {
  return new ForerunError(
    failure.kind === 'unreachable' || failure.kind === 'asleep' ? 'database-unreachable' : 'database-refused',
    {
      what: `The database could not be asked: ${sentence(failure.message)}`,
      state,
      next: adviceForAccess(failure),
    },
    { cause: failure, ...(failure.sqlState === undefined ? {} : { place: { sqlState: failure.sqlState } }) },
  );
}

/** A commit that the database itself turned down, by a deferred constraint for example. */
export function commitRefused(
  failure: DatabaseFailure,
  group: readonly Migration[],
  committed: readonly string[],
): ForerunError {
  return new ForerunError(
    'migration-failed',
    {
      what: `The commit of ${list(group.map(({ id }) => id))} was refused (SQLSTATE ${failure.sqlState ?? 'not told'}): ${sentence(failure.message)}`,
      state: stateAfterRollback(group, committed),
      next: 'Look for the deferred constraint or trigger that the message names, mend the migration, and run again.',
    },
    { cause: failure, ...(failure.sqlState === undefined ? {} : { place: { sqlState: failure.sqlState } }) },
  );
}

export function outOfTime(what: string, state = UNTOUCHED): ForerunError {
  return new ForerunError('out-of-time', {
    what,
    state,
    next: "Run again; if it is too much work for one call, give its migrations transactions of their own (atomic: 'migration') or split the largest one.",
  });
}

export function stateAfterRollback(group: readonly Migration[], committed: readonly string[]): string {
  const together =
    group.length === 1
      ? 'Nothing of it stays: its transaction was rolled back.'
      : `Nothing of it stays: it was rolled back together with its group (${list(group.map(({ id }) => id))}).`;
  return committed.length === 0
    ? together
    : `${together} Committed before it, and standing: ${list(committed)}.`;
}

function stateOutsideTransaction({ id }: Migration, partial: boolean, committed: readonly string[]): string {
  const own = partial
    ? `What ${id} did before stands, because it has no transaction; the next run goes on after it.`
    : 'Nothing of it stays.';
  return committed.length === 0 ? own : `${own} Committed before it, and standing: ${list(committed)}.`;
}

/** A statement outlasts the run; the database goes on with it. Which one it is may not be known. */
export function statementRunning(place: ErrorPlace = {}): ForerunError {
  const { migration, statement } = place;
  const which =
    migration === undefined || statement === undefined
      ? 'A statement of this run'
      : `Statement ${statement} of ${migration}`;
  return new ForerunError(
    'statement-running',
    {
      what: `${which} was still at work in the database when the time of this run was over.`,
      state: 'It goes on there; nothing is lost.',
      next: 'Run again, or deploy again: the next run waits for it and goes on after it.',
    },
    { place },
  );
}

/** What an author throws may be of any length; the answer to CloudFormation and the journal's row may not. */
const LONGEST_REASON = 2_000;

function reasonOf(cause: unknown): string {
  if (cause instanceof ForerunError) return cause.text.what;
  return (cause instanceof Error ? cause.message : String(cause)).slice(0, LONGEST_REASON);
}

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** A constraint that rows break: not null, foreign key, unique, check, exclusion. */
const ROWS_IN_THE_WAY: readonly string[] = ['23502', '23503', '23505', '23514', '23P01'];

function adviceFor(cause: unknown, gaveWay: boolean, { id, alone }: Migration): string {
  if (!(cause instanceof DatabaseFailure)) return `Mend ${id} and run again.`;
  if (cause.kind === 'timeout' && alone === 'long') {
    return 'It was cancelled, by a person or by a statement_timeout of the role or the database: set that to 0 for the migration role, and run again.';
  }
  if (cause.kind === 'timeout') {
    return 'One statement may take 45 seconds (a limit of the Data API): let it touch fewer rows at a time, or write long: true into a migration that holds it alone, and run again.';
  }
  if (cause.kind === 'transaction-gone') {
    return 'The database ended the transaction by itself (idle for over 20 seconds between two statements, or restarted): run again, and keep slow work out of the migration.';
  }
  if (cause.kind === 'unsupported-result' && /size limit/i.test(cause.message)) {
    return 'A reply of the Data API holds 1 MB: read fewer rows or columns at a time, and run again.';
  }
  if (cause.kind === 'unsupported-result')
    return 'Cast the named column to text in the select list, and run again.';
  if (cause.kind !== 'sql') return adviceForAccess(cause);
  if (gaveWay) {
    return `Another session was in the way, and trying again did not help: look in pg_stat_activity and pg_locks who holds the table, then run again; ${id} needs no change.`;
  }
  // active_sql_transaction
  if (cause.sqlState === '25001') {
    return `PostgreSQL refuses this inside a transaction: put it into a migration of its own with transaction: false, and run again.`;
  }
  if (cause.sqlState !== undefined && ROWS_IN_THE_WAY.includes(cause.sqlState)) {
    return `Mend the rows that the message speaks of and run again, or mend ${id}.`;
  }
  // unsafe_new_enum_value_usage: a value may be used once the transaction that added it is committed.
  if (cause.sqlState === '55P04') {
    return `Let the migration that adds the value commit by itself: write atomic: 'migration' in it, use the value in a later one, and run again.`;
  }
  // object_in_use: pending trigger events of the same transaction, a deferred foreign key for example.
  if (cause.sqlState === '55006') {
    return `Let the change of rows and the change of the table commit apart: write atomic: 'migration' in ${id}, and run again.`;
  }
  return `Mend ${id} and run again.`;
}

function adviceForAccess(failure: DatabaseFailure): string {
  switch (failure.kind) {
    case 'asleep':
    case 'unreachable':
      return 'Look whether the cluster has an available writer instance, then run again.';
    case 'throttled':
      return 'Run again in a minute.';
    case 'denied':
      return 'Grant the runner the five rds-data actions on this cluster and secretsmanager:GetSecretValue on this secret, then run again.';
    case 'invalid':
      return 'Look at the cluster ARN, the secret ARN and the database name, then run again.';
    case 'sql':
      return adviceForLogin(failure.sqlState);
    case 'timeout':
    case 'transaction-gone':
    case 'transaction-busy':
    case 'unsupported-result':
    case 'lost':
      return 'Run again.';
  }
}

function adviceForLogin(sqlState: string | undefined): string {
  if (sqlState === '28P01' || sqlState === '28000') {
    return 'Look whether the secret holds the present user name and password of the database, then run again.';
  }
  if (sqlState === '3D000') return 'Create the database, or correct its name, then run again.';
  if (sqlState === '42501')
    return 'Grant the migration role what it needs (create on the database for the first run), then run again.';
  return 'Look at the message of the database, then run again.';
}
