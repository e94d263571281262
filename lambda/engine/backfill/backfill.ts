import type { Row, Session, Statement } from '../ports.ts';

/**
 * A data migration over many rows, done in batches, as the engine runs it. A batch is a window of the key: the next so
 * many keys of the table in the order of a unique index. Names of tables and columns come quoted.
 */
export interface Backfill {
  /** The table whose keys are walked over. */
  readonly table: string;
  /** Its name as the author wrote it, for messages. */
  readonly name: string;
  /** Columns of a unique key, in the order of its index. */
  readonly key: readonly KeyName[];
  /** The columns that the author declared, for showing rows. */
  readonly columns: readonly KeyName[];
  /** True for rows that still need the change, and false once they have it. Null only where the set is frozen. */
  readonly where: Statement | null;
  /** The keys are captured once, in one snapshot; each of them gets the change once. */
  readonly frozen: boolean;
  /** The deploy waits until it is done. */
  readonly hold: boolean;
  readonly tuning: Tuning;
  readonly form: Form;
}

export interface KeyName {
  /** As the author wrote it. */
  readonly name: string;
  /** Quoted. */
  readonly column: string;
}

/** A column of the key with its type in the database. */
export interface KeyColumn extends KeyName {
  readonly type: string;
  /**
   * The column that it is copied to, quoted, in the unique index in which a second copy meets the first. There is none where the
   * set is frozen: then there is no second copy.
   */
  readonly copied?: string;
}

/** How hard a backfill works; the first three can be changed while it runs. */
export interface Tuning {
  /** Rows of the first batch; from then on its size follows the time that batches take. */
  readonly batchRows: number;
  /** Least pause between two batches, in milliseconds. */
  readonly pauseMs: number;
  /** Ranges of the key worked on at the same time. */
  readonly parallel: number;
  /** How long a batch should take, in milliseconds. */
  readonly targetMs: number;
  /** How long a batch may wait for one lock, in milliseconds. */
  readonly lockTimeoutMs: number;
  /** More other sessions at work than these, and it holds still. */
  readonly activeSessions: number;
  /** A transaction that has been open for longer, in seconds, and it holds still. */
  readonly oldestTransactionSeconds: number;
}

/** What is done with the rows of a batch. */
export type Form =
  /** One `update` a batch. */
  | { readonly kind: 'set'; readonly set: readonly SetColumn[] }
  /** Rows are read, computed and written back where they are still as they were read. */
  | {
      readonly kind: 'transform';
      /** Expressions that JSON carries without loss; their values come as one array. */
      readonly packed: readonly string[];
      /** What it does not: parts of a select list, whose values come under the columns' names. */
      readonly beside: readonly string[];
      /** What a row becomes; empty when nothing of it changes. Throws what the author's code throws. */
      change(packed: readonly unknown[], beside: Row): readonly Change[];
    }
  /** The author's own statements, in one transaction with the cursor. */
  | {
      readonly kind: 'batch';
      work(session: Session, tools: BatchTools, window: BatchWindow): Promise<void>;
    }
  /** One `insert … select` a batch. */
  | { readonly kind: 'insert'; readonly into: string; readonly columns: readonly SetColumn[] };

/** A column that gets a value. */
export interface SetColumn {
  /** Quoted. */
  readonly column: string;
  readonly value: Statement;
  /** The column of the walked table that it is given as it stands; null where it is computed. */
  readonly from: string | null;
  /** Whether the column's type can be compared, so that rows that would not differ are left alone. */
  readonly comparable: boolean;
}

/** A new value for one column of one row, as the text that PostgreSQL reads. */
export interface Change {
  /** Quoted. */
  readonly column: string;
  readonly type: string;
  readonly text: string | null;
}

/** What a batch's code may use besides its session. */
export interface BatchTools {
  readonly inTransaction: true;
  progress(message: string): void;
}

/** What a `batch` gets to know: its first and last key as texts, and a condition that is true for its rows alone. */
export interface BatchWindow {
  readonly from: KeyTexts;
  readonly to: KeyTexts;
  readonly rows: Statement;
}

/** A key as texts, one for each of its columns. */
export type KeyTexts = readonly string[];
