import { DatabaseFailure } from '../database-failure.ts';
import { ForerunError } from '../errors.ts';
import { ENDLESS } from './postgres-tables.ts';
import { TransformThrew } from './step.ts';

/** What a failed step means for the work. */
export type Verdict =
  /** Nobody can tell whether it counted: the range is read again. */
  | 'unknown'
  /** Other sessions were in the way; the same again, after a pause. */
  | 'conflict'
  /** Its transaction was ended by somebody else; that tells nothing of its rows. */
  | 'interrupted'
  /** The database takes no change from anybody just now; that tells nothing of its rows either. */
  | 'unable'
  /** It was too much for one call: less at once. */
  | 'too-large'
  /** No batch can ever succeed as things are. */
  | 'hopeless'
  /** The database is not to be had at all. */
  | 'away'
  /** Something about these rows. */
  | 'rows';

/** lock_not_available, serialization_failure, deadlock_detected. */
const CONFLICTS: readonly string[] = ['55P03', '40001', '40P01'];
/** query_canceled, program_limit_exceeded, out_of_memory, configuration_limit_exceeded (by temporary files). */
const TOO_LARGE: readonly string[] = ['57014', '54000', '53200', '53400'];
/**
 * read_only_sql_transaction, as the endpoint answers while it still leads to the old writer; classes 53, 57 and 58: insufficient
 * resources, operator intervention, system error.
 */
const UNABLE = /^(?:25006|53|57|58)/;

export function verdictOn(cause: unknown): Verdict {
  if (refusalIn(cause)?.code === 'migration-not-a-migration') return 'hopeless';
  if (!(cause instanceof DatabaseFailure)) return 'rows';
  const { ran, kind, sqlState = '' } = cause;
  // Only a reading of ours can answer with too much, so it does not matter whether it ran.
  if (kind === 'unsupported-result') return isUnreadable(cause) ? 'hopeless' : 'too-large';
  if (ran === 'unknown') return 'unknown';
  if (UNABLE.test(sqlState) && !TOO_LARGE.includes(sqlState)) return 'unable';
  if (kind === 'transaction-gone' || kind === 'transaction-busy' || kind === 'lost') return 'interrupted';
  if (kind === 'timeout' || TOO_LARGE.includes(sqlState)) return 'too-large';
  if (kind !== 'sql') return kind === 'invalid' ? 'rows' : 'away';
  if (CONFLICTS.includes(sqlState)) return 'conflict';
  // Class 42: a table, a column, a function or a grant is not (or no more) as the backfill takes it to be.
  return isEndless(cause) || sqlState.startsWith('42') ? 'hopeless' : 'rows';
}

/** The change leaves rows as if nothing had been done, so that it would be done again and again. */
export const isEndless = (cause: unknown): boolean =>
  cause instanceof DatabaseFailure && cause.sqlState === ENDLESS;

/** A declared column's type is none that the service returns, and no smaller batch would change that. */
const isUnreadable = ({ kind, message }: DatabaseFailure): boolean =>
  kind === 'unsupported-result' && message.includes('unsupported data type');

/** What we ourselves have refused of what the author's code did; an author has no such errors to throw. */
const refusalIn = (cause: unknown): ForerunError | undefined => {
  const thrown = cause instanceof TransformThrew ? cause.cause : cause;
  return thrown instanceof ForerunError ? thrown : undefined;
};

/** A value that does not fit its column: the same again would give the same. */
export const isMisfit = (cause: unknown): boolean => refusalIn(cause)?.code === 'value-refused';

/**
 * The cause in words that may be kept: never PostgreSQL's message or the author's, which may hold values of a row. Our own
 * hold none.
 */
export function kept(cause: unknown): string {
  const refusal = refusalIn(cause);
  if (refusal !== undefined) return refusal.text.what.replace(/\.$/, '');
  if (cause instanceof TransformThrew) return `transform threw a ${cause.message}`;
  if (cause instanceof DatabaseFailure) {
    if (isEndless(cause)) return 'the change leaves its own where true';
    if (isUnreadable(cause)) return 'the Data API cannot return a column as table() declares it';
    return cause.sqlState === undefined ? `the call failed (${cause.kind})` : `SQLSTATE ${cause.sqlState}`;
  }
  return `the code threw a ${cause instanceof Error ? cause.name : typeof cause}`;
}

/** The cause in words for whoever looks on; they are not kept. */
export const messageOf = (cause: unknown): string =>
  cause instanceof DatabaseFailure ? cause.message : kept(cause);
