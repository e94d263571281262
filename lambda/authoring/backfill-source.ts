import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { MigrationContext } from './context.ts';
import type { Phase } from '../engine/migration.ts';
import type { Irreversible } from './irreversible.ts';
import type { Step } from './migration.ts';
import type { ChangedRow, ColumnOf, DatabaseOf, ReadRow, Table, Tables } from './table.ts';

/** The database as a query over one table sees it. */
export type DatabaseWith<T extends Table> = DatabaseOf<{ readonly [K in T['name']]: T }>;

/** A condition on a table's rows: SQL, or what Kysely's expression builder makes. */
export type Condition<T extends Table> =
  Expression<unknown> | ((eb: ExpressionBuilder<DatabaseWith<T>, T['name']>) => Expression<SqlBool>);

/** A key with the columns' own values. */
export type KeyOf<T extends Table> = { readonly [C in ColumnOf<T>]?: ReadRow<T>[C] };

export interface BackfillOptions<T extends Table, K extends ColumnOf<T>> {
  /** Id of the migration before this one, several to join two lines, or `'base'`. */
  readonly after: string | readonly string[];
  /** The id written down once more: it must be the file's name. */
  readonly id?: string;
  /** The table whose rows are walked over. */
  readonly table: T;
  /**
   * Its key: the columns of one unique index, in the order of that index, none of them nullable. Any type with an order will
   * do. The key may not be changed by the backfill.
   *
   * @example key: ['created_at', 'id']
   */
  readonly key: K | readonly K[];
  /**
   * Which rows still need the change: true before, false afterwards. It makes the work safe to sweep over again, so it is
   * required unless `frozen`. A change that leaves it true is refused and rolled back.
   *
   * @example where: sql`slug is null`
   */
  readonly where?: Condition<T>;
  /**
   * For changes that leave no trace (`price = price - 10`): the keys of the rows are captured once, in one snapshot, and each
   * of them gets the change once. Rows that come later are not part of it. @default false
   */
  readonly frozen?: boolean;
  /** The deploy waits until it is done. Otherwise it is enqueued and worked on beside the app. @default false */
  readonly hold?: boolean;
  /**
   * `'after'` lets a deploy begin it only once its app is live: for rows that the old app still writes in the old way while the
   * migrations before it run. @default 'before'
   */
  readonly phase?: Phase;
  /** Ids of backfills that must be done before this one begins. */
  readonly needs?: readonly string[];
  /** Other tables that `batch` or `down` use. */
  readonly tables?: Tables;
  /**
   * Takes the change back in one transaction; `irreversible('why')` where there is no way back, or the words
   * `'nothing to undo'`, for example where a column that was filled goes in an earlier `down`. Work under way is ended first.
   */
  readonly down: Step<Tables> | Irreversible | 'nothing to undo';
  /** Whether the previous release of the app works beside it. */
  readonly compatible?: boolean;
  /** Rows of the first batch; afterwards the size follows `targetMs`. @default 500 */
  readonly batchRows?: number;
  /** How long a batch should take, in milliseconds. @default 500 */
  readonly targetMs?: number;
  /**
   * Least pause between two batches, in milliseconds; where others are at work it is a quarter of the batch's time, if that is
   * longer. @default 0
   */
  readonly pauseMs?: number;
  /** Ranges of the key worked on at the same time, 1 to 16. @default 1 */
  readonly parallel?: number;
  /** How long a batch waits for one lock, in milliseconds. @default 1000 */
  readonly lockTimeoutMs?: number;
  /**
   * It holds still while more other sessions than this are at work: raise it for a large instance that is never calmer.
   * @default 25
   */
  readonly activeSessions?: number;
  /** It holds still while a transaction has been open for longer than this, in seconds. @default 3600 */
  readonly oldestTransactionSeconds?: number;
}

/** Work that SQL can express: one `update` a batch. Rows that would not differ are left alone. */
export interface SetForm<T extends Table> {
  /** What each column becomes: a value, `sql`, or a function of the expression builder. */
  readonly set: {
    readonly [C in keyof ChangedRow<T, never>]?:
      | ChangedRow<T, never>[C]
      | Expression<unknown>
      | ((eb: ExpressionBuilder<DatabaseWith<T>, T['name']>) => Expression<unknown>);
  };
}

/** Work that needs TypeScript: rows are read, computed, and written back where they are still as they were read. */
export interface TransformForm<T extends Table> {
  /**
   * What of a row changes; nothing of it where `undefined` comes back. Who writes to the row meanwhile wins, and the row is read
   * again. Must be quick and free of effects, because it may see a row twice.
   */
  readonly transform: (row: ReadRow<T>) => ChangedRow<T, never> | undefined;
}

/** Anything else: statements of one's own, in one transaction with the cursor. */
export interface BatchForm<T extends Table> {
  /**
   * May run more than once for a batch; what it does in the database counts once. Unless `frozen`, it must leave none of its rows as
   * if they still needed the change, or it is refused.
   */
  readonly batch: (context: BatchContext<T>) => Promise<unknown>;
}

export interface BatchContext<T extends Table> extends MigrationContext<Tables> {
  /** First key of the batch. */
  readonly from: KeyOf<T>;
  /** Last key of the batch. */
  readonly to: KeyOf<T>;
  /** True for exactly the rows of this batch; it belongs into the `where` of every statement on the table. */
  readonly rows: Expression<SqlBool>;
}

/** Copying: one `insert … select` a batch. */
export interface InsertForm<T extends Table> {
  readonly insertFrom: {
    /**
     * Where the rows go. Unless `frozen`, it needs a unique index whose columns, none nullable, are given exactly the columns of `key`
     * by their names: that keeps a row from being copied twice.
     */
    readonly into: Table;
    /** For each column of `into` a column of `table` by its name, or an expression over its row. */
    readonly columns: Readonly<Record<string, ColumnOf<T> | Expression<unknown>>>;
  };
}

/** What an author writes for a backfill. */
export type BackfillSource<T extends Table, K extends ColumnOf<T>> = BackfillOptions<T, K> &
  (
    | (SetForm<T> & Without<'transform' | 'batch' | 'insertFrom'>)
    | (TransformForm<T> & Without<'set' | 'batch' | 'insertFrom'>)
    | (BatchForm<T> & Without<'set' | 'transform' | 'insertFrom'>)
    | (InsertForm<T> & Without<'set' | 'transform' | 'batch'>)
  );

type Without<K extends string> = { readonly [P in K]?: never };
