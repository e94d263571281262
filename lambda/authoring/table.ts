import { ExpressionWrapper, type CastNode, type ColumnType, type Expression } from 'kysely';
import { ForerunError, UNTOUCHED } from '../engine/errors.ts';
import type { AnyColumn, Column, Presence } from './column.ts';
import { castAs } from './typing/cast-value.ts';
import type { ValueType } from './value-type.ts';

/** The columns of a table by name. */
export type Columns = Readonly<Record<string, AnyColumn>>;

/** A table as one migration relies on it: the columns it names, not all that the table has. */
export interface Table<Name extends string = string, C extends Columns = Columns> {
  readonly name: Name;
  readonly columns: C;
  /** Type of each column, with the column's name in it. */
  readonly types: ReadonlyMap<string, ValueType>;
  /**
   * A value with the type of a column, for the `sql` template, where nothing else says it.
   *
   * @example await op.execute(sql`delete from users where id = ${users.value('id', 5n)}`);
   */
  value<K extends keyof C & string>(column: K, value: InOf<C[K]>): Expression<OutOf<C[K]>>;
}

/** Tables by name; the key must be the table's own name. */
export type Tables = Readonly<Record<string, Table>>;

/**
 * Freezes the columns that a migration relies on, for the type checker and for the run time alike.
 *
 * @example
 * const articles = table('articles', { id: bigint().defaulted(), title: text(), draft: boolean() });
 * const users = table('app.users', { id: uuid() }); // in `tables` under the key 'app.users'
 */
export function table<const Name extends string, C extends Columns>(name: Name, columns: C): Table<Name, C> {
  if (name === '' || Object.keys(columns).length === 0) throw refusedTable(name);
  const types = new Map(
    Object.entries(columns).map(([key, column]) => [key, withPlace(column.type, `${name}.${key}`)] as const),
  );
  return Object.freeze({
    name,
    columns: Object.freeze({ ...columns }),
    types,
    value: <K extends keyof C & string>(column: K, value: InOf<C[K]>) =>
      new ExpressionWrapper<unknown, never, OutOf<C[K]>>(
        typedValue(types.get(column), value, `${name}.${column}`),
      ),
  });
}

/** What Kysely is told of the tables: for each column what is read, inserted and updated. */
export type DatabaseOf<T extends Tables> = { [K in keyof T]: KyselyRow<T[K]['columns']> };

/** A row to insert into a table. */
export type NewRow<T extends Table> = InsertRow<T['columns']>;

/** A row that changes a row of a table: its key, and whatever changes. */
export type ChangedRow<T extends Table, K extends string> = {
  readonly [C in keyof T['columns'] & K]: InOf<T['columns'][C]>;
} & {
  readonly [C in KeysWith<T['columns'], 'required' | 'optional'>]?: InOf<T['columns'][C]> | undefined;
};

/** A row as a query gives it back. */
export type ReadRow<T extends Table> = { readonly [K in keyof T['columns']]: OutOf<T['columns'][K]> };

type KyselyRow<C extends Columns> = { [K in keyof C]: KyselyColumn<C[K]> };

type KyselyColumn<C> =
  C extends Column<infer Out, infer In, infer P>
    ? P extends 'generated'
      ? ColumnType<Out, never, never>
      : P extends 'optional'
        ? ColumnType<Out, In | undefined, In>
        : ColumnType<Out, In, In>
    : never;

type PresenceOf<C> = C extends Column<unknown, unknown, infer P> ? P : never;
type OutOf<C> = C extends Column<infer Out, infer _In, infer _P> ? Out : never;
type InOf<C> = C extends Column<infer _Out, infer In, infer _P> ? In : never;
type KeysWith<C extends Columns, P extends Presence> = {
  [K in keyof C]: PresenceOf<C[K]> extends P ? K : never;
}[keyof C];

type InsertRow<C extends Columns> = { readonly [K in KeysWith<C, 'required'>]: InOf<C[K]> } & {
  readonly [K in KeysWith<C, 'optional'>]?: InOf<C[K]> | undefined;
};

/** Names of a table's columns. */
export type ColumnOf<T extends Table> = keyof T['columns'] & string;

function typedValue(type: ValueType | undefined, value: unknown, place: string): CastNode {
  if (type !== undefined) return castAs(type, value);
  throw new ForerunError('value-refused', {
    what: `The column ${place} is not declared by its table().`,
    state: 'The statement was not sent.',
    next: 'Declare it, or name another column.',
  });
}

function withPlace(type: ValueType, of: string): ValueType {
  return { ...type, of, ...(type.element === undefined ? {} : { element: withPlace(type.element, of) }) };
}

function refusedTable(name: string): ForerunError {
  return new ForerunError('migration-not-a-migration', {
    what: name === '' ? 'A table() has no name.' : `table('${name}') names no column.`,
    state: UNTOUCHED,
    next: 'Name the table and at least the columns that the migration uses.',
  });
}
