/** Every way in which Forerun says no, with the exit code of the command line. */
export const ERROR_CODES = {
  // Refused while building: nothing was sent anywhere.
  'history-empty': 2,
  'history-bad-id': 2,
  'history-duplicate-id': 2,
  'history-missing-parent': 2,
  'history-cycle': 2,
  'history-two-heads': 2,
  'migration-not-loadable': 2,
  'migration-not-a-migration': 2,
  'bundle-failed': 2,
  'construct-misused': 2,
  'synth-failed': 2,
  'input-invalid': 2,
  'read-only': 2,
  'not-confirmed': 2,
  'params-refused': 2,
  // Refused by the plan: the journal was read, nothing was changed.
  'plan-changed': 3,
  'plan-missing': 3,
  'plan-late': 3,
  'plan-ahead': 3,
  'plan-unknown-target': 3,
  'plan-irreversible': 3,
  'plan-half-done': 3,
  'plan-not-together': 3,
  'backfill-refused': 3,
  'journal-unreadable': 3,
  'journal-tampered': 3,
  'bundle-stale': 3,
  // The run came to an end that is not the wished one.
  'migration-failed': 1,
  'lease-busy': 5,
  'run-overruled': 5,
  'out-of-time': 1,
  'database-unreachable': 1,
  'database-refused': 1,
  'secret-unavailable': 1,
  'outcome-unknown': 4,
  'statement-running': 4,
  'backfill-working': 4,
  'backfill-stopped': 1,
  // The command line and the runner did not get together.
  'runner-not-asked': 1,
  'runner-unanswered': 4,
  // Inside a migration.
  'statement-refused': 1,
  'value-refused': 1,
  'rows-refused': 1,
  'check-failed': 1,
  // In the testing kit: only a database made for the test was touched.
  'test-failed': 1,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorText {
  /** What happened, one sentence. */
  readonly what: string;
  /** In what state the database is now, one sentence. */
  readonly state: string;
  /** What to do next, one sentence. */
  readonly next: string;
}

/** Where in a history an error happened. */
export interface ErrorPlace {
  readonly migration?: string;
  /** Number of the statement within the migration, from 1. */
  readonly statement?: number;
  /** The statement's text, shortened; never its parameters. */
  readonly sql?: string;
  /** PostgreSQL's five characters. */
  readonly sqlState?: string;
}

/** The one family of errors: a code, a text in a fixed order, and the place. */
export class ForerunError extends Error {
  override readonly name = 'ForerunError';
  readonly code: ErrorCode;
  readonly text: ErrorText;
  readonly place: ErrorPlace;

  constructor(code: ErrorCode, text: ErrorText, options: { place?: ErrorPlace; cause?: unknown } = {}) {
    super(
      `${text.what} ${text.state} ${text.next}`,
      options.cause === undefined ? {} : { cause: options.cause },
    );
    this.code = code;
    this.text = text;
    this.place = options.place ?? {};
  }

  /** What the command line exits with. */
  get exitCode(): number {
    return ERROR_CODES[this.code];
  }
}

/** The state of a database that was not asked for anything. */
export const UNTOUCHED = 'The database was not touched.';
