import type { RunIdentity } from './journal.ts';
import type { RunLimits } from './limits.ts';
import type { Migration } from './migration.ts';

/** Migrations that commit together, and the run that applies or reverts them. */
export interface GroupWork {
  readonly group: readonly Migration[];
  readonly direction: 'up' | 'down';
  readonly identity: RunIdentity;
  readonly token: bigint;
  readonly deadlineMs: number;
  readonly limits: RunLimits;
  /** Steps that this run has committed already; for the message only. */
  readonly committed: readonly string[];
}
