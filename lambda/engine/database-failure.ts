/** What is known about a call that failed. */
export type Ran =
  /** It provably did nothing: safe to send again. */
  | 'no'
  /** The database carried it out or answered it with an error of its own; its effect is undone with its transaction. */
  | 'failed'
  /** Nobody can tell from here: only the journal decides. */
  | 'unknown';

export type FailureKind =
  | 'asleep'
  | 'throttled'
  | 'unreachable'
  | 'denied'
  | 'sql'
  | 'timeout'
  | 'transaction-gone'
  | 'transaction-busy'
  | 'unsupported-result'
  | 'invalid'
  | 'lost';

/** Where a call may fail without harm: lets every error through that is not the database's. */
export function tolerate(cause: unknown): void {
  if (!(cause instanceof DatabaseFailure)) throw cause;
}

/** How a `Database` port says no. The message never holds a parameter value or a secret. */
export class DatabaseFailure extends Error {
  override readonly name = 'DatabaseFailure';
  readonly ran: Ran;
  readonly kind: FailureKind;
  readonly sqlState: string | undefined;

  constructor(facts: { ran: Ran; kind: FailureKind; message: string; sqlState?: string; cause?: unknown }) {
    super(facts.message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.ran = facts.ran;
    this.kind = facts.kind;
    this.sqlState = facts.sqlState;
  }
}
