/**
 * Behaviour of the real service that nobody has shown in public. Each defaults to what is harder on the caller.
 */
export interface Switches {
  /**
   * Commit of a transaction in which a statement failed: an error, or the text of success. The database rolls back
   * either way. Default: `error`.
   */
  readonly commitOfAborted: 'error' | 'committed-text';
  /** Whether a type the service cannot return is refused before the statement runs, or after it took effect. Default: `after`. */
  readonly unsupportedResult: 'before' | 'after';
  /** What a result over 1 MiB or of an unsupported type does to its transaction. Default: `abort`. */
  readonly unreturnableInTransaction: 'keep' | 'abort';
  /** A batch outside a transaction: each set commits by itself, or all together. Default: `each`. */
  readonly batchCommits: 'each' | 'all';
  /** Keeps prepared statements of pooled sessions, so that 0A000 shows after a change of a table. Default: true. */
  readonly keepPreparedStatements: boolean;
}

export const DEFAULT_SWITCHES: Switches = {
  commitOfAborted: 'error',
  unsupportedResult: 'after',
  unreturnableInTransaction: 'abort',
  batchCommits: 'each',
  keepPreparedStatements: true,
};
