/**
 * Where the local Data API is knowingly not the same as that of AWS. The page `docs/local-differences.md` and the
 * conformance suite read it: a rule of the suite that has no case must stand here, and what stands here must differ.
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

/** The same for Lambda and CloudFormation, which have no suite of rules. */
interface CloudDifference {
  readonly service: 'Lambda' | 'CloudFormation' | 'EventBridge' | 'IAM';
  readonly what: string;
  readonly why: string;
}

const PREDICTABLE = 'A rehearsal must be the same each time.';

export const CLOUD_DIFFERENCES: readonly CloudDifference[] = [
  {
    service: 'CloudFormation',
    what: 'Resources that are ready are played one after the other, in waves, and not all at once.',
    why: PREDICTABLE,
  },
  {
    service: 'CloudFormation',
    what: 'The order of a rollback and of the cleanup is modelled after the documentation.',
    why: 'It was not observed on AWS.',
  },
  {
    service: 'CloudFormation',
    what: "The CDK's own custom resources count as done without being run.",
    why: 'Their functions need services that are not played.',
  },
  {
    service: 'CloudFormation',
    what: 'Resource types that it does not know get an id and plausible attributes, and nothing is made.',
    why: 'Only what a migration needs is played.',
  },
  {
    service: 'Lambda',
    what: 'A failed asynchronous event is tried again at once, where AWS waits one minute and then two.',
    why: 'Nobody wants to wait in a rehearsal; `retryWaitsMs` brings the waits back.',
  },
  {
    service: 'Lambda',
    what: "A function's process is not frozen between two invokes.",
    why: 'A process cannot be stopped in that way on every system.',
  },
  {
    service: 'Lambda',
    what: 'Node.js runtimes only; code comes from a folder, and an asset that is a ZIP file is refused.',
    why: 'The CDK writes folders, and the functions of a migration are Node.js.',
  },
  {
    service: 'EventBridge',
    what: 'Every bus that is named is there, and its events are kept; no rule is played and nothing is delivered.',
    why: 'Only what a run sends is rehearsed.',
  },
  {
    service: 'Lambda',
    what: 'Durable executions have steps, waits and child contexts; callbacks and chained invokes are refused, and there is no history to read.',
    why: 'Only what a migration needs is played.',
  },
  {
    service: 'Lambda',
    what: 'A durable execution that fails goes to no failure destination.',
    why: 'Only what a migration needs is played.',
  },
  {
    service: 'Lambda',
    what: 'A broken invocation of a durable execution is made again after 1, 2, 4 seconds and so on, at most 300.',
    why: 'AWS documents an exponential backoff without its numbers.',
  },
  {
    service: 'IAM',
    what: 'Signatures are not verified; a key that belongs to no role of a stack may do everything.',
    why: 'Keys stand for roles here and have no secret part; a person at this machine needs no rights.',
  },
  {
    service: 'IAM',
    what: 'Only the identity policies of a role count, and their conditions count as met.',
    why: 'No resource policy, boundary or organisation is played.',
  },
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
