import type { ForerunError } from './errors.ts';
import type { Backfill } from './backfill/backfill.ts';
import type { Session } from './ports.ts';

/** The word for the start of a history, before the first migration. */
export const BASE = 'base';
/** The word for its end. */
export const HEAD = 'head';

/** How migrations share transactions: adjacent ones together, or each one alone. */
export type Atomic = 'group' | 'migration';

/** When a deploy runs a migration: before its app goes live, or once it is live. */
export type Phase = 'before' | 'after';

/** Name and parents of a migration, and the fingerprint of what it does. */
export interface Revision {
  /** The file name without its ending. */
  readonly id: string;
  /** Ids of the parents; empty for the first migration. */
  readonly after: readonly string[];
  /** `v1:` and 32 hexadecimal digits over the module's syntax tree and everything local that it imports. */
  readonly checksum: string;
}

/** What a migration's code may use besides its session. */
export interface MigrationTools {
  /** False where every statement commits alone. */
  readonly inTransaction: boolean;
  /** Tells how far a long step has come. */
  progress(message: string): void;
}

/** A migration as the engine runs it: what the author wrote, bound to a session. */
export interface Migration extends Revision {
  /** `migration` gives it a transaction of its own. */
  readonly atomic: Atomic;
  /** Present where a deploy runs it only once the app is live. */
  readonly phase?: 'after';
  /**
   * Present where the statements commit one by one, outside a transaction: each is recorded and never done twice. `long`
   * ones may outlast the limit that the service sets for a call.
   */
  readonly alone?: 'short' | 'long';
  /** How long its statements may wait for a lock, in milliseconds; the run's own limit where absent. */
  readonly lockTimeoutMs?: number;
  /** Where it is meant to run; everywhere where absent. */
  readonly environments?: readonly string[];
  /** It has no place in the history: it runs after it, whenever its checksum is not the one that ran last. */
  readonly repeatable?: true;
  /** Set by the plan: it is not meant for this environment, so its row is written and its code does not run. */
  readonly skipped?: true;
  /** Why it cannot run in these surroundings, a wrong parameter for example: the plan refuses it. */
  readonly refusal?: ForerunError;
  /** Gets what its code needs from outside, before its transaction begins. */
  prepare?(): Promise<void>;
  /** Whether the previous release of the app works on the schema this migration leaves; undefined when nobody said. */
  readonly compatible?: boolean;
  /** Names and descriptions of the operations that it consists of, where its author declared them; for plans. */
  readonly operations?: readonly string[];
  /** Ids of backfills that must be done before it runs. */
  readonly needs?: readonly string[];
  /** Present where it is a backfill: the engine does its work in batches. */
  readonly backfill?: Backfill;
  up(session: Session, tools: MigrationTools): Promise<void>;
  readonly down: Down;
}

export type Down =
  | { readonly kind: 'reversible'; run(session: Session, tools: MigrationTools): Promise<void> }
  | { readonly kind: 'irreversible'; readonly why: string };
