import type { Compilable, QueryExecutorProvider, RawBuilder } from 'kysely';
import type { MigrationTools } from '../engine/migration.ts';
import type { Row, Session, Statement } from '../engine/ports.ts';
import { bulkInsert, type BulkInsertOptions, type BulkInsertResult } from './bulk-insert.ts';
import { namedParameters } from './named-parameters.ts';
import { statementOf } from './run-query.ts';
import type { NewRow, Table } from './table.ts';

/** A query of the builder, or SQL from the `sql` template. */
export type Query<R> = Compilable<R> | RawBuilder<R>;

/** What plain SQL may bind by name; cast it in the SQL where it is not text: `:id::uuid`. */
export type NamedValues = Readonly<
  Record<string, string | number | bigint | boolean | Uint8Array | Date | null>
>;

/** The ways to the database besides the builder. */
export interface Operations {
  /**
   * Sends a statement whose rows nobody needs.
   *
   * @example
   * await op.execute('create extension if not exists citext');
   * await op.execute('update users set plan = :plan where id = :id::uuid', { plan: 'free', id });
   * await op.execute(sql`update users set plan = ${plan}`);
   */
  execute(query: Query<unknown> | string, values?: NamedValues): Promise<{ readonly affected: number }>;
  /**
   * Sends a statement and gives back its rows.
   *
   * @example const [row] = await op.query<{ n: bigint }>('select count(*) as n from users');
   */
  query<R = Row>(query: Query<R> | string, values?: NamedValues): Promise<readonly R[]>;
  /**
   * Inserts many rows in as few calls as the limits of the Data API allow.
   *
   * @example await op.bulkInsert(users, [{ id: 1n, name: 'Ada' }], { onConflict: 'nothing' });
   */
  bulkInsert<T extends Table>(
    table: T,
    rows: Iterable<NewRow<T>> | AsyncIterable<NewRow<T>>,
    options?: BulkInsertOptions,
  ): Promise<BulkInsertResult>;
}

/** The operations over one session; `db` compiles what the author built. */
export function createOperations(
  session: Session,
  db: QueryExecutorProvider,
  tools: MigrationTools,
): Operations {
  const statement = (query: Query<unknown> | string, values: NamedValues | undefined): Statement => {
    if (typeof query === 'string') return namedParameters(query, values);
    return statementOf('isRawBuilder' in query ? query.compile(db) : query.compile());
  };
  return Object.freeze({
    async execute(query: Query<unknown> | string, values?: NamedValues) {
      const { affected } = await session.execute(statement(query, values), { rows: false });
      return { affected };
    },
    async query<R>(query: Query<R> | string, values?: NamedValues) {
      const { rows } = await session.execute(statement(query, values), { rows: true });
      // The author says what a row looks like; nothing here can check it.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return rows as unknown as readonly R[];
    },
    bulkInsert: <T extends Table>(
      table: T,
      rows: Iterable<NewRow<T>> | AsyncIterable<NewRow<T>>,
      options: BulkInsertOptions = {},
    ) => bulkInsert({ session, tools, table, options }, rows),
  });
}
