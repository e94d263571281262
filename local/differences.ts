/**
 * Where the local services are knowingly not the same as AWS. Documentation and the conformance suite read it: a rule of
 * the suite that has no case must stand here.
 */
export interface Difference {
  /** Number of the rule in the conformance suite. */
  readonly rule: number;
  /** Whether nothing of the rule is kept, or a part. */
  readonly kept: 'no' | 'in part';
  readonly what: string;
  readonly why: string;
}

const MYSQL = 'Forerun speaks to PostgreSQL; Aurora MySQL is not served.';

export const DIFFERENCES: readonly Difference[] = [
  {
    rule: 2,
    kept: 'in part',
    what: 'The form of a signature is checked, the signature is not.',
    why: 'There is no secret key to check it with.',
  },
  {
    rule: 7,
    kept: 'in part',
    what: 'A request over 4 MiB is answered with 413 RequestEntityTooLargeException.',
    why: 'The real answer is not public.',
  },
  { rule: 16, kept: 'in part', what: 'The UUID hint is never refused.', why: MYSQL },
  {
    rule: 24,
    kept: 'in part',
    what: "Dates before the year 1 and results under a changed DateStyle come back in the database's own text.",
    why: 'Results are read as text, where the real service reads the binary form.',
  },
  { rule: 27, kept: 'no', what: 'TINYINT, YEAR and unsigned integers.', why: MYSQL },
  { rule: 29, kept: 'in part', what: 'generatedFields is always empty.', why: MYSQL },
  {
    rule: 30,
    kept: 'in part',
    what: 'typeName is in lower case only; the numbers in type are those of JDBC.',
    why: 'The numbers that the real service sends for PostgreSQL are not public.',
  },
  { rule: 42, kept: 'no', what: 'DDL that commits by itself.', why: MYSQL },
  {
    rule: 47,
    kept: 'in part',
    what: 'A cluster pauses when it is told to, never by itself.',
    why: 'A rehearsal must be the same each time.',
  },
  { rule: 52, kept: 'no', what: 'Error texts of MySQL.', why: MYSQL },
];

/** A point on which nothing is public, and what the local service does: what is harder on the caller. */
interface Guess {
  readonly point: string;
  readonly choice: string;
}

export const GUESSES: readonly Guess[] = [
  { point: 'A placeholder without a parameter, or a parameter given twice', choice: 'BadRequestException' },
  { point: 'A parameter that no placeholder names', choice: 'ignored' },
  { point: 'A colon before a word or digits without any parameters, as in a[1:2]', choice: 'a placeholder' },
  { point: 'Statements of more than 65,536 characters, missing members', choice: 'ValidationException' },
  { point: 'A member of a wrong JSON type', choice: 'SerializationException' },
  { point: 'A cluster ARN that is not known', choice: 'HttpEndpointNotEnabledException' },
  {
    point: 'A call that names another cluster, secret or database than its transaction',
    choice: 'BadRequestException',
  },
  {
    point: 'Commit of a transaction in which a statement failed',
    choice: 'DatabaseErrorException 25P02, rolled back (switch commitOfAborted)',
  },
  {
    point: 'When a type that cannot be returned is refused',
    choice: 'after the statement took effect (switch unsupportedResult)',
  },
  {
    point: 'What a result that cannot be returned does to its transaction',
    choice: 'it ends the transaction (switch unreturnableInTransaction)',
  },
  { point: 'A batch outside a transaction', choice: 'each set commits by itself (switch batchCommits)' },
  {
    point: 'void columns, such as those of pg_sleep or pg_advisory_xact_lock',
    choice: 'UnsupportedResultException naming VOID',
  },
  { point: 'oid columns', choice: 'longValue' },
  { point: 'Arrays of timestamptz, bytea, cidr, inet and enums', choice: 'UnsupportedResultException' },
  { point: 'numberOfRecordsUpdated of a statement with RETURNING', choice: '0' },
  { point: 'formatRecordsAs JSON for a statement with RETURNING', choice: 'treated like a SELECT' },
  {
    point: 'A session that the database ends inside a transaction',
    choice: 'the transaction is gone: TransactionNotFoundException',
  },
  {
    point: 'A call while the commit of the same transaction runs',
    choice: 'DatabaseErrorException, still running a query',
  },
];
