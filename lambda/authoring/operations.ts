import type { Compilable, QueryExecutorProvider, RawBuilder } from 'kysely';
import type { MigrationTools } from '../engine/migration.ts';
import type { Row, Session, Statement } from '../engine/ports.ts';
import { bulkInsert, type BulkInsertOptions, type BulkInsertResult } from './bulk-insert.ts';
import type { BulkRows } from './bulk-packing.ts';
import type { TextRow } from './bulk-text.ts';
import { bulkUpdate, type BulkUpdateOptions, type BulkUpdateResult } from './bulk-update.ts';
import { refuseUnknownOptions } from './known-options.ts';
import { expectRows, isExpecting, type Expecting, type Guard } from './expect.ts';
import { namedParameters } from './named-parameters.ts';
import { statementOf } from './run-query.ts';
import { runUtility } from './utility-statement.ts';
import { isSqlScript, runScript, type SqlScript } from './sql-script.ts';
import { syncRows, type SyncOptions, type SyncResult } from './sync-rows.ts';
import type { ChangedRow, ColumnOf, NewRow, Table, Tables } from './table.ts';
import { refuseUntypedValues } from './typing/untyped-texts.ts';

/** A query of the builder, or SQL from the `sql` template. */
export type Query<R> = Compilable<R> | RawBuilder<R>;

/** What plain SQL may bind by name; cast it in the SQL where it is not text: `:id::uuid`. */
export type NamedValues = Readonly<
  Record<string, string | number | bigint | boolean | Uint8Array | Date | null>
>;

/** The ways to the database besides the builder. */
export interface Operations {
  /**
   * Sends the statements of an imported `.sql` file, one a call; rows are added up over all of them.
   *
   * @example
   * import seed from './seed.sql';
   * await op.execute(seed);
   */
  execute(script: SqlScript, options?: Expecting): Promise<{ readonly affected: number }>;
  /**
   * Sends a statement whose rows nobody needs.
   *
   * @example
   * await op.execute('create extension if not exists citext');
   * await op.execute('update users set plan = :plan where id = :id::uuid', { plan: 'free', id });
   * await op.execute(sql`update users set plan = ${plan}`);
   * await op.execute(sql`delete from users where id = ${id}::uuid`, { expect: { rows: 1 } });
   */
  execute(query: Query<unknown> | string, options?: Expecting): Promise<{ readonly affected: number }>;
  execute(query: string, values: NamedValues, options?: Expecting): Promise<{ readonly affected: number }>;
  /**
   * Runs a statement that PostgreSQL lets have no parameters (`create role`, `comment on`): the server itself writes the values into
   * it as literals. For secrets above all: they stand in no statement that is sent, logged or shown.
   *
   * @example await op.utility('create role app login password :password', { password: secrets.app });
   */
  utility(statement: string, values: Readonly<Record<string, string>>): Promise<void>;
  /**
   * Sends a statement and gives back its rows.
   *
   * @example const [row] = await op.query<{ n: bigint }>('select count(*) as n from users');
   */
  query<R = Row>(query: Query<R> | string, values?: NamedValues): Promise<readonly R[]>;
  /**
   * Inserts many rows in as few calls as the limits of the Data API allow: from an array, an imported JSON or CSV file, or
   * any iterable, which is read as the calls go out. A column that a row does not name gets its default.
   *
   * @throws ForerunError `rows-refused` for a row that cannot be sent, by its number.
   * @example await op.bulkInsert(users, [{ id: 1n, name: 'Ada' }], { onConflict: 'nothing' });
   * @example await op.bulkInsert(users, rows, { onConflict: { key: 'id', update: ['name'] } });
   */
  bulkInsert<T extends Table>(
    table: T,
    rows: Rows<NewRow<T>>,
    options?: BulkInsertOptions<ColumnOf<T>> & Expecting,
  ): Promise<BulkInsertResult>;
  bulkInsert<T extends Table, R extends TextRow>(
    table: T,
    rows: Rows<R> & TextsOnly<R>,
    options?: BulkInsertOptions<ColumnOf<T>> & Expecting,
  ): Promise<BulkInsertResult>;
  /**
   * Updates many rows, found by their key, packed as `bulkInsert` packs. Only the columns that a row names change.
   *
   * @throws ForerunError `rows-refused` for a row that cannot be sent, for a key that stands twice, and, unless `notFound`
   * says otherwise, for a key that the table does not have.
   * @example await op.bulkUpdate(users, [{ id: 1n, name: 'Ada' }], { key: 'id' });
   */
  bulkUpdate<T extends Table, K extends ColumnOf<T>>(
    table: T,
    rows: Rows<ChangedRow<T, K>>,
    options: BulkUpdateOptions<K> & Expecting,
  ): Promise<BulkUpdateResult>;
  bulkUpdate<T extends Table, R extends TextRow>(
    table: T,
    rows: Rows<R> & TextsOnly<R>,
    options: BulkUpdateOptions<ColumnOf<T>> & Expecting,
  ): Promise<BulkUpdateResult>;
  /**
   * Makes the rows of a table equal to the given ones, found by their natural key: missing ones are inserted, different ones
   * updated, the others left alone. Made for reference rows, in a `repeatable` above all. Every row names every declared column.
   *
   * @throws ForerunError `rows-refused` for a row that cannot be sent, a key that stands twice, and extra rows where those are
   * refused.
   * @example await op.syncRows(countries, rows, { key: 'code', extra: 'delete' });
   */
  syncRows<T extends Table>(
    table: T,
    rows: Rows<NewRow<T>>,
    options: SyncOptions<ColumnOf<T>>,
  ): Promise<SyncResult>;
  syncRows<T extends Table, R extends TextRow>(
    table: T,
    rows: Rows<R> & TextsOnly<R>,
    options: SyncOptions<ColumnOf<T>>,
  ): Promise<SyncResult>;
}

type Rows<R> = Iterable<R> | AsyncIterable<R>;

/** Rows of a text file can name any column; a row whose columns the compiler knows is held to the table's. */
type TextsOnly<R> = string extends keyof R ? unknown : never;

/** What turns into statements what an author hands in. */
interface Language {
  /** Compiles what was built. */
  readonly db: QueryExecutorProvider;
  /** The types that plain SQL is held to. */
  readonly tables: Tables;
}

/** What an author handed in, as the database port takes it. */
export function statementFrom(
  query: Query<unknown> | string,
  values: NamedValues | undefined,
  { db, tables }: Language,
): Statement {
  if (typeof query === 'string') {
    if (values !== undefined) refuseUntypedValues(query, values, tables);
    return namedParameters(query, values);
  }
  return statementOf('isRawBuilder' in query ? query.compile(db) : query.compile());
}

/** The operations over one session. */
export function createOperations(
  session: Session,
  language: Language,
  tools: MigrationTools,
  guard: Guard = (step) => step(),
): Operations {
  return Object.freeze({
    async execute(
      query: Query<unknown> | SqlScript | string,
      given?: NamedValues | Expecting,
      more?: Expecting,
    ) {
      const [values, expecting] = isExpecting(given) ? [undefined, given] : [given, more ?? {}];
      if (typeof query === 'object' && isSqlScript(query)) {
        return expectRows(expecting, { tools, guard, what: query.file }, () => runScript(session, query));
      }
      const statement = statementFrom(query, values, language);
      return expectRows(expecting, { tools, guard, what: statement.sql }, async () => {
        const { affected } = await session.execute(statement, { rows: false });
        return { affected };
      });
    },
    utility: (statement: string, values: Readonly<Record<string, string>>) =>
      guard(() => runUtility(session, tools, statement, values)),
    async query<R>(query: Query<R> | string, values?: NamedValues) {
      const { rows } = await session.execute(statementFrom(query, values, language), { rows: true });
      // The author says what a row looks like; nothing here can check it.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return rows as unknown as readonly R[];
    },
    bulkInsert: (table: Table, rows: BulkRows, options: BulkInsertOptions & Expecting = {}) =>
      guard(async () => {
        refuseUnknownOptions(options, ['onConflict', 'texts', 'rowsPerCall', 'expect'], 'op.bulkInsert');
        return expectRows(options, { tools, guard, what: `bulk insert into ${table.name}` }, () =>
          bulkInsert({ session, tools, table, options }, rows),
        );
      }),
    bulkUpdate: (table: Table, rows: BulkRows, options: BulkUpdateOptions & Expecting) =>
      guard(async () => {
        refuseUnknownOptions(options, ['key', 'notFound', 'texts', 'rowsPerCall', 'expect'], 'op.bulkUpdate');
        return expectRows(options, { tools, guard, what: `bulk update of ${table.name}` }, () =>
          bulkUpdate({ session, tools, table, options }, rows),
        );
      }),
    syncRows: (table: Table, rows: BulkRows, options: SyncOptions) =>
      guard(async () => {
        refuseUnknownOptions(options, ['key', 'extra', 'texts'], 'op.syncRows');
        return syncRows({ session, tools, table, options }, rows);
      }),
  });
}
