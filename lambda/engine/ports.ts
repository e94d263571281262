import type { BackfillState } from './backfill/states.ts';

/**
 * What the engine asks of the world. The engine itself touches no SDK, file, process, clock or console:
 * everything outside comes in through these interfaces, so each can be a ten-line fake in a test.
 */

/** A value bound to a placeholder. Text stays text: what type it becomes is said by a cast in the SQL. */
export type BoundValue = string | number | bigint | boolean | Uint8Array | null;

/** One SQL statement; placeholders are written `:name`. */
export interface Statement {
  readonly sql: string;
  readonly parameters?: Readonly<Record<string, BoundValue>>;
  /** Texts that no message about the statement may show, besides its parameters. */
  readonly hidden?: readonly string[];
  /**
   * Where it carries many rows: tells in words which row has this key, by its columns and the values that the database's message
   * holds. The values themselves are never shown.
   */
  readonly rowOfKey?: (columns: readonly string[], values: string) => string | undefined;
}

/** A column's value as it comes back: int2/int4 and floats as number, int8 as bigint, json parsed, the rest as text. */
export type ColumnValue =
  | string
  | number
  | bigint
  | boolean
  | Uint8Array
  | null
  | readonly ColumnValue[]
  | { readonly [key: string]: unknown };

export type Row = Readonly<Record<string, ColumnValue>>;

export interface StatementResult {
  readonly rows: readonly Row[];
  /** Rows inserted, updated or deleted. */
  readonly affected: number;
}

export interface ExecuteOptions {
  /** Whether rows are wanted back; asking for them costs the service a catalogue query. */
  readonly rows: boolean;
  /**
   * Lets the statement go on in the database when the service stops waiting for it; the call then fails with nobody knowing
   * whether it ran. @default false
   */
  readonly beyondLimit?: boolean;
  /** Not sent again either when it provably did not run. @default false */
  readonly once?: boolean;
}

/** What a migration works with: one open transaction, statements one at a time. */
export interface Session {
  execute(statement: Statement, options: ExecuteOptions): Promise<StatementResult>;
}

/** An open transaction. Every method rejects with a `DatabaseFailure`. */
export interface Transaction extends Session {
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** The database behind a run. Every method rejects with a `DatabaseFailure`; nothing that may have run is sent again. */
export interface Database extends Session {
  begin(): Promise<Transaction>;
  /** Calls sent so far, each attempt counted. */
  calls(): number;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves after this time, or as soon as the signal aborts. */
  sleep(milliseconds: number, cancel?: AbortSignal): Promise<void>;
}

/** What a run tells while it works; never holds a parameter value. */
export type RunNote =
  | { readonly note: 'installed' }
  | { readonly note: 'planned'; readonly migrations: readonly string[]; readonly groups: number }
  | {
      readonly note: 'waiting';
      readonly reason: string;
      readonly forMs: number;
      /** Present where it waits for the right to run. */
      readonly lease?: true;
    }
  | { readonly note: 'began'; readonly migration: string; readonly direction: 'up' | 'down' }
  /** Its row is written, its code does not run: it is not meant for this environment. */
  | { readonly note: 'skipped'; readonly migration: string }
  | {
      readonly note: 'statement';
      readonly migration: string;
      readonly statement: number;
      readonly milliseconds: number;
      /** Rows that it inserted, updated or deleted. */
      readonly rows: number;
    }
  | { readonly note: 'progress'; readonly migration: string; readonly message: string }
  | {
      /** One batch of a backfill: rows looked at, rows changed, and how many the next one takes. */
      readonly note: 'batch';
      readonly backfill: string;
      readonly range: number;
      readonly rows: number;
      readonly changed: number;
      readonly milliseconds: number;
      readonly nextRows: number;
    }
  | {
      /** A backfill stands in a state: taken up or gone on with, done, or stopped by trouble. */
      readonly note: 'backfill';
      readonly backfill: string;
      readonly state: BackfillState;
      readonly reason: string | null;
      /** Rows there are to look at and rows looked at, by all workers; null where nobody knows. */
      readonly total: number | null;
      readonly scanned: number | null;
    }
  /** A worker of its own goes on with it. */
  | { readonly note: 'handed-on'; readonly backfill: string }
  /** A backfill that is open was left alone, because this release cannot work on it. */
  | { readonly note: 'passed-over'; readonly backfill: string; readonly reason: string }
  /** How many backfills of the history only a person can let go on. */
  | { readonly note: 'backfills'; readonly stopped: number }
  | { readonly note: 'committed'; readonly migrations: readonly string[] }
  | {
      readonly note: 'rolled-back' | 'partial';
      readonly migrations: readonly string[];
      readonly reason: string;
    }
  | { readonly note: 'unknown'; readonly reason: string };

export interface Ports {
  readonly database: Database;
  readonly clock: Clock;
  /** Between 0 and 1, for jitter. */
  readonly random: () => number;
  readonly tell: (note: RunNote) => void;
  /** Takes secrets out of a text before it is stored or answered. @default nothing is secret */
  readonly hide?: (text: string) => string;
  /** File and line of the author's code in which something was thrown. @default nobody knows */
  readonly authorPlace?: (cause: unknown) => string | undefined;
}
