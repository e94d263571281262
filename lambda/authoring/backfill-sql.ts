import type { Compilable, Expression } from 'kysely';
import type { SetColumn } from '../engine/backfill/backfill.ts';
import { lexemesOf } from '../engine/lexemes.ts';
import { ForerunError, UNTOUCHED } from '../engine/errors.ts';
import type { Session, Statement } from '../engine/ports.ts';
import { createBuilder } from './dialect.ts';
import { quoteIdentifier, quoteName } from './quote-name.ts';
import { statementOf } from './run-query.ts';
import type { Table, Tables } from './table.ts';
import type { ValueType } from './value-type.ts';

/** The table of a backfill, and all tables that its code knows. */
export interface Place {
  readonly table: Table;
  readonly tables: Tables;
}

/** Builds and never sends. */
const NOWHERE: Session = {
  execute: () =>
    Promise.reject(
      new ForerunError('statement-refused', {
        what: 'A backfill is described, not run, when its module loads.',
        state: UNTOUCHED,
        next: 'Do not execute queries in the definition.',
      }),
    ),
};

/** As much of the builder as is needed where the compiler does not know the tables. */
interface LooseBuilder {
  deleteFrom(table: string): { where(condition: unknown): Compilable };
  updateTable(table: string): { set(values: object): Compilable };
}

const builder = (tables: Tables): LooseBuilder =>
  // Kysely's typing has done its work where the author wrote.
  createBuilder(NOWHERE, tables);

/** The SQL of a condition on the table, with the values it binds. */
export function conditionOf({ table, tables }: Place, condition: unknown): Statement {
  const prefix = `delete from ${quoteName(table.name)} where `;
  const query = builder(tables).deleteFrom(table.name).where(condition);
  return cut(query, prefix, 'w');
}

/** What each column of an update gets. */
export function valuesToSet({ table, tables }: Place, set: object): readonly SetColumn[] {
  return Object.entries(set).map(([name, value]: [string, unknown], at) => {
    const column = quoteIdentifier(name);
    const prefix = `update ${quoteName(table.name)} set ${column} = `;
    const query = builder(tables)
      .updateTable(table.name)
      .set({ [name]: value });
    return {
      column,
      value: cut(query, prefix, `s${at}`),
      from: null,
      comparable: isComparable(table.types.get(name)),
    };
  });
}

/** What each column of an insert gets, from a row of the table. */
export function expressionsOf(
  place: Place,
  columns: Readonly<Record<string, string | Expression<unknown>>>,
): readonly SetColumn[] {
  return Object.entries(columns).map(([name, value], at) => ({
    column: quoteIdentifier(name),
    comparable: true,
    from: typeof value === 'string' ? value : null,
    value:
      typeof value === 'string'
        ? { sql: `${quoteName(place.table.name)}.${quoteIdentifier(value)}` }
        : renamed(conditionOf(place, value), 'w', `i${at}`),
  }));
}

/** What an author writes may end with a comment, and what we write goes on behind it. */
const closed = (sql: string): string => (sql.includes('--') ? `${sql}\n` : sql);

/** The part of a compiled query behind what Kysely always writes, its placeholders under names of their own. */
function cut(query: Compilable, prefix: string, names: string): Statement {
  const { sql, ...bound } = statementOf(query.compile());
  if (!sql.startsWith(prefix)) {
    throw new ForerunError('migration-not-a-migration', {
      what: `A part of a backfill could not be read out of "${sql.slice(0, 60)}".`,
      state: UNTOUCHED,
      next: 'Write it with the sql template.',
    });
  }
  return renamed({ sql: sql.slice(prefix.length), ...bound }, '', names);
}

function renamed({ sql, parameters = {} }: Statement, was: string, names: string): Statement {
  const renaming = (name: string): string => `${names}_${was === '' ? name : name.slice(was.length + 1)}`;
  let text = '';
  let done = 0;
  if (Object.keys(parameters).length > 0) {
    for (const { kind, text: name, start, end } of lexemesOf(sql)) {
      if (kind !== 'placeholder' || !Object.hasOwn(parameters, name)) continue;
      text += `${sql.slice(done, start)}:${renaming(name)}`;
      done = end;
    }
  }
  return {
    sql: closed(text + sql.slice(done)),
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, value]) => [renaming(name), value]),
    ),
  };
}

/** json has no equality, and of a type that is only named nobody knows. */
function isComparable(type: ValueType | undefined): boolean {
  if (type === undefined) return false;
  if (type.element !== undefined) return isComparable(type.element);
  return type.family !== 'json' && type.family !== 'other';
}
