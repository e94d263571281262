import { ForerunError } from '../../engine/errors.ts';
import type { Tables } from '../table.ts';
import type { ValueType } from '../value-type.ts';

/** The columns that a query can see under one name. */
export interface Source {
  readonly name: string;
  readonly schema?: string;
  /** In the order of `select *`; the type is undefined where nothing tells it. */
  readonly columns: ReadonlyMap<string, ValueType | undefined>;
  /** False when there may be columns that nobody declared. */
  readonly complete: boolean;
  /** `excluded` is seen only when it is named. */
  readonly onlyByName?: boolean;
}

/** What is visible at one place of a query; `outer` is the query around it. */
export interface Scope {
  readonly tables: Tables;
  readonly sources: readonly Source[];
  /** Common table expressions by name. */
  readonly ctes: ReadonlyMap<string, Source>;
  /** The table that is written to; the branches of a merge have no other way to know. */
  readonly target?: Source;
  readonly outer?: Scope;
}

/** The scope around a whole statement: tables, nothing selected yet. */
export function rootScope(tables: Tables): Scope {
  return { tables, sources: [], ctes: new Map() };
}

/** A scope inside `outer` that sees `sources`. */
export function innerScope(outer: Scope, sources: readonly Source[], target?: Source): Scope {
  return {
    tables: outer.tables,
    sources,
    ctes: new Map(),
    outer,
    ...(target === undefined ? {} : { target }),
  };
}

/** A source that nothing is known about. */
export function unknownSource(name: string): Source {
  return { name, columns: new Map(), complete: false };
}

/** The source behind a table name: a common table expression, a declared table, or an unknown one. */
export function findTable(scope: Scope, name: string, schema: string | undefined): Source {
  const cte = schema === undefined ? findCte(scope, name) : undefined;
  if (cte !== undefined) return cte;
  const declared = schema === undefined ? undefined : own(scope.tables, `${schema}.${name}`);
  // `db.withSchema('app')` puts a schema before the name under which the table was declared.
  const table = declared ?? own(scope.tables, name);
  if (table === undefined) return unknownSource(name);
  return { name, columns: table.types, complete: true, ...(schema === undefined ? {} : { schema }) };
}

/** The type of a column reference; undefined when nobody declared it. */
export function findColumn(
  scope: Scope,
  column: string,
  table?: { readonly name: string; readonly schema: string | undefined },
): ValueType | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const sources = at.sources.filter((source) => isSeen(source, table));
    const found = sources.filter((source) => source.columns.has(column));
    if (found.length > 0) return oneType(column, found);
    // The innermost match counts: a named source is the one that is meant, and one of unknown columns may hold it.
    if (table !== undefined && sources.length > 0) return undefined;
    if (sources.some((source) => !source.complete)) return undefined;
  }
  return undefined;
}

function isSeen(source: Source, table: { name: string; schema: string | undefined } | undefined): boolean {
  if (table === undefined) return source.onlyByName !== true;
  return source.name === table.name && (table.schema === undefined || source.schema === table.schema);
}

function oneType(column: string, found: readonly Source[]): ValueType | undefined {
  const types = found.map((source) => source.columns.get(column));
  const kinds = new Set(types.map((type) => type?.sql));
  if (kinds.size < 2) return types[0];
  const places = found.map(
    (source) => `${source.name}.${column} (${source.columns.get(column)?.sql ?? 'unknown'})`,
  );
  throw new ForerunError('statement-refused', {
    what: `The column name "${column}" is ambiguous: it may be ${places.join(' or ')}.`,
    state: 'The statement was not sent.',
    next: `Qualify it, for example as "${found[0]?.name ?? 'table'}.${column}".`,
  });
}

function findCte(scope: Scope, name: string): Source | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.outer) {
    const cte = at.ctes.get(name);
    if (cte !== undefined) return cte;
  }
  return undefined;
}

function own(tables: Tables, key: string): Tables[string] | undefined {
  return Object.hasOwn(tables, key) ? tables[key] : undefined;
}
