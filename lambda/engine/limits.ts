/** How long a run lets itself and others wait, in milliseconds. */
export interface RunLimits {
  /** A lease outlives its last sign of life by this; an open transaction holds it longer, through its row lock. */
  readonly leaseMs: number;
  /** How long a bid for a table lock may queue the app's traffic behind it. */
  readonly lockTimeoutMs: number;
  /** How long a dead runner's transaction may hold its locks; the service itself would wait three minutes. */
  readonly idleTimeoutMs: number;
  /** Longest statement inside a transaction. */
  readonly statementTimeoutMs: number;
  /**
   * How long a request may still be on its way after it was sent. A statement that cannot be fenced is sent again only
   * when an earlier one can have arrived no more.
   */
  readonly inFlightMs: number;
}

/** The time limits that the database keeps for one transaction, in milliseconds. */
export type TransactionLimits = Pick<RunLimits, 'lockTimeoutMs' | 'statementTimeoutMs'>;

/**
 * The statement's limit is the service's own (Aurora User Guide, Data API limitations). A request is given up after 60 seconds
 * by the client; half of that is added for what the network and the service may hold back.
 */
export const DEFAULT_LIMITS: RunLimits = {
  leaseMs: 60_000,
  lockTimeoutMs: 5_000,
  idleTimeoutMs: 20_000,
  statementTimeoutMs: 45_000,
  inFlightMs: 90_000,
};

/** Kept back from a run's time for a clean end: rolling back and telling the journal. Milliseconds. */
export const RESERVE_MS = 10_000;
