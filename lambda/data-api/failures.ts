import { DatabaseFailure, type FailureKind, type Ran } from '../engine/database-failure.ts';
import type { Statement } from '../engine/ports.ts';
import { keyIn, readDatabaseError } from './database-error-text.ts';

/** Where a call stood when it failed; the same error means something else in each place. */
export type Operation =
  | 'execute-alone'
  /** With `continueAfterTimeout`: the service stops waiting, the database goes on. */
  | 'execute-beyond-limit'
  | 'execute-in-transaction'
  | 'begin'
  | 'commit'
  | 'rollback';

export interface FailureRow {
  /** Error names of the SDK, codes of the socket, or statuses as `http-503`. */
  readonly errors: readonly string[];
  readonly kind: FailureKind;
  /** Did it run? One word for every operation, or a word each where they differ. */
  readonly ran: Ran | Readonly<Record<Operation, Ran>>;
  readonly source: string;
}

/** A transaction that cannot be reached any more cannot be committed any more; only the commit itself may have run. */
const LOST: Readonly<Record<Operation, Ran>> = {
  'execute-alone': 'unknown',
  'execute-beyond-limit': 'unknown',
  'execute-in-transaction': 'unknown',
  // An orphaned transaction holds nothing and ends by itself after three idle minutes.
  begin: 'no',
  commit: 'unknown',
  rollback: 'unknown',
};

const GONE: Readonly<Record<Operation, Ran>> = {
  ...LOST,
  'execute-in-transaction': 'failed',
  rollback: 'failed',
};

const CANCELLED: Readonly<Record<Operation, Ran>> = {
  'execute-alone': 'failed',
  'execute-beyond-limit': 'failed',
  'execute-in-transaction': 'failed',
  begin: 'failed',
  commit: 'failed',
  rollback: 'failed',
};

const REFUSED_BEFORE = 'RDS Data API reference, errors: the request was turned down before any SQL ran';
const AMBIGUOUS = 'RDS Data API reference, errors: nothing is said about whether the statement ran';

/** The one table of failures: what a name means, whether the call ran, and where that is written. */
export const FAILURES: readonly FailureRow[] = [
  {
    errors: ['DatabaseResumingException'],
    kind: 'asleep',
    ran: 'no',
    source: 'Aurora User Guide, auto-pause: the request is not processed while the instance resumes',
  },
  {
    errors: ['ThrottlingException', 'TooManyRequestsException', 'RequestLimitExceeded', 'http-429'],
    kind: 'throttled',
    ran: 'no',
    source: REFUSED_BEFORE,
  },
  {
    errors: ['AccessDeniedException', 'ForbiddenException'],
    kind: 'denied',
    ran: 'no',
    source: REFUSED_BEFORE,
  },
  {
    errors: [
      'ExpiredTokenException',
      'UnrecognizedClientException',
      'InvalidSignatureException',
      'MissingAuthenticationTokenException',
      'IncompleteSignatureException',
      'CredentialsProviderError',
    ],
    kind: 'denied',
    ran: 'no',
    source: 'AWS common errors: the caller was not recognised',
  },
  {
    errors: [
      'HttpEndpointNotEnabledException',
      'InvalidSecretException',
      'SecretsErrorException',
      'ValidationException',
      'SerializationException',
    ],
    kind: 'invalid',
    ran: 'no',
    source: REFUSED_BEFORE,
  },
  {
    errors: ['DatabaseNotFoundException', 'InvalidResourceStateException'],
    kind: 'unreachable',
    ran: 'no',
    source: 'RDS Data API reference: the cluster has no instance that could run anything',
  },
  {
    errors: ['TransactionNotFoundException', 'NotFoundException'],
    kind: 'transaction-gone',
    ran: GONE,
    source:
      'Aurora User Guide, troubleshooting: expired, ended or aborted; after a lost answer it may have been committed',
  },
  {
    errors: ['StatementTimeoutException'],
    kind: 'timeout',
    ran: { ...CANCELLED, 'execute-beyond-limit': 'unknown' },
    source:
      'Aurora User Guide, limitations: without continueAfterTimeout the statement is cancelled after 45 s, with it it goes on',
  },
  {
    errors: ['UnsupportedResultException'],
    kind: 'unsupported-result',
    ran: { ...GONE, 'execute-alone': 'unknown', 'execute-beyond-limit': 'unknown' },
    source: 'the statement may have run before its result was found to be unreadable',
  },
  {
    errors: [
      'DatabaseUnavailableException',
      'http-504',
      'InternalServerErrorException',
      'InternalFailure',
      'ServiceUnavailableError',
      'http-500',
      'http-502',
      'http-503',
    ],
    kind: 'unreachable',
    ran: LOST,
    source: AMBIGUOUS,
  },
  {
    errors: ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'],
    kind: 'unreachable',
    ran: 'no',
    source: 'connect(2), getaddrinfo(3): no connection was made, so no byte was sent',
  },
  {
    errors: ['BadRequestException'],
    kind: 'lost',
    ran: LOST,
    source: 'deprecated catch-all of the service; also sent for an oversized result, after execution',
  },
];

/**
 * What is done about a failure: a call that provably did not run is sent again, with growing pauses, for so many
 * milliseconds. A kind that is not named here, and every call that may have run, is left to the engine, which reads the
 * journal. A paused instance resumes in about 15 seconds, after a day of sleep in 30 or more (Aurora User Guide,
 * auto-pause); grants and connections of a new deploy settle within a minute.
 */
export const PATIENCE_MS: Partial<Record<FailureKind, number>> = {
  asleep: 150_000,
  throttled: 60_000,
  unreachable: 20_000,
  denied: 60_000,
  'transaction-busy': 60_000,
  // Only a begin can be lost and yet be as good as not run.
  lost: 20_000,
};

/**
 * Turns whatever the SDK threw into what the engine wants to know. The error itself is not kept as a cause: its text may
 * hold row values, and whoever logs an error logs its causes.
 */
export function failureOf(
  operation: Operation,
  cause: unknown,
  bound: readonly string[],
  rowOfKey?: Statement['rowOfKey'],
): DatabaseFailure {
  const error = factsOf(cause);
  if (error.name === 'DatabaseErrorException') {
    return databaseError(operation, error.message, bound, rowOfKey);
  }
  const row = FAILURES.find(({ errors }) => error.names.some((name) => errors.includes(name)));
  if (row === undefined) {
    return failure({
      operation,
      ran: LOST,
      kind: 'lost',
      message: `the connection to the Data API broke (${error.name})`,
    });
  }
  return failure({ operation, ran: row.ran, kind: row.kind, message: messageFor(row, error, bound) });
}

/** Class 57: the server ends sessions; class 08: the service lost its own connection (PostgreSQL, appendix A). */
const SESSION_ENDED = /^(?:08|57P|25P03)/;
const QUERY_CANCELED = '57014';

function databaseError(
  operation: Operation,
  text: string,
  bound: readonly string[],
  rowOfKey: Statement['rowOfKey'],
): DatabaseFailure {
  if (/still running a query/i.test(text)) {
    return failure({
      operation,
      ran: 'no',
      kind: 'transaction-busy',
      message: 'the transaction is still running an earlier statement',
    });
  }
  const { message: said, sqlState } = readDatabaseError(text, bound);
  const key = keyIn(text);
  const row = key === undefined ? undefined : rowOfKey?.(key.columns, key.values);
  const message = row === undefined ? said : `${said} (${row})`;
  if (sqlState === undefined) {
    return failure({
      operation,
      ran: LOST,
      kind: 'lost',
      message: 'the Data API answered with an error of the database that has no SQLSTATE',
    });
  }
  if (SESSION_ENDED.test(sqlState)) {
    return failure({ operation, ran: GONE, kind: 'transaction-gone', message, sqlState });
  }
  return failure({
    operation,
    ran: 'failed',
    kind: sqlState === QUERY_CANCELED ? 'timeout' : 'sql',
    message,
    sqlState,
  });
}

function failure(facts: {
  operation: Operation;
  ran: FailureRow['ran'];
  kind: FailureKind;
  message: string;
  sqlState?: string;
}): DatabaseFailure {
  const { operation, ran, ...rest } = facts;
  return new DatabaseFailure({ ...rest, ran: typeof ran === 'string' ? ran : ran[operation] });
}

interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  /** Every name under which the table may know it. */
  readonly names: readonly string[];
}

function factsOf(cause: unknown): ErrorFacts {
  if (!(cause instanceof Error)) return { name: 'unknown', message: String(cause), names: [] };
  // The SDK adds `$metadata`, a socket `code`; an error of neither has none.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const { code, $metadata } = cause as { code?: unknown; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  const socket = typeof code === 'string' ? code : undefined;
  // A name that the service states says more than the status it came with.
  const names = [cause.name, socket, status === undefined ? undefined : `http-${status}`];
  return {
    name: socket ?? cause.name,
    message: cause.message,
    names: names.filter((one) => one !== undefined),
  };
}

/** The service's sentence where it has one; five of its errors come without. */
function messageFor({ errors }: FailureRow, { name, message }: ErrorFacts, bound: readonly string[]): string {
  const said = message.trim();
  if (said === '' || said === name || said === 'UnknownError') return `the Data API answered ${name}`;
  return errors.includes('ECONNREFUSED')
    ? `no connection to the Data API (${name})`
    : readDatabaseError(said, bound).message;
}
