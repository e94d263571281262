import {
  AliasNode,
  CastNode,
  ColumnNode,
  IdentifierNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  TableNode,
} from 'kysely';
import type { ValueType } from '../value-type.ts';
import type { Scope, Source } from './scope.ts';
import { starSources, typeOf } from './type-of.ts';

/**
 * Writes `*` and `table.*` out as the declared columns, so that a migration reads what it relies on and nothing else,
 * and so that the service's cached plan of the same text survives an `alter table` (SQLSTATE 0A000 otherwise).
 * A source with undeclared columns keeps its star.
 */
export function expandStars(selections: readonly SelectionNode[], scope: Scope): readonly SelectionNode[] {
  return selections.flatMap((selection) => {
    const sources = starSources(selection.selection, scope);
    if (sources === undefined || sources.length === 0) return [selection];
    if (sources.some((source) => !source.complete)) return [selection];
    return sources.flatMap((source) => columnsOf(source, scope.sources.length > 1));
  });
}

function columnsOf(source: Source, qualify: boolean): readonly SelectionNode[] {
  const table = qualify ? tableNode(source) : undefined;
  return [...source.columns.keys()].map((name) =>
    SelectionNode.create(ReferenceNode.create(ColumnNode.create(name), table)),
  );
}

function tableNode({ name, schema }: Source): TableNode {
  return schema === undefined ? TableNode.create(name) : TableNode.createWithSchema(schema, name);
}

/**
 * Types that the Data API refuses to return (AWS: "geometric and monetary types"; the others were observed by its
 * users), and citext, of which nobody reports that it works.
 */
const UNRETURNABLE: ReadonlySet<string> = new Set(
  (
    'interval,timetz,time with time zone,"char",citext,money,macaddr,macaddr8,int8range,daterange,tsrange,tstzrange,' +
    'point,line,lseg,box,path,polygon,circle,regclass,regtype,regproc,xml,tsvector,tsquery,bit,varbit'
  ).split(','),
);

/**
 * Families whose arrays come back as arrays. Of whole numbers only the narrow ones: in an array, a bigint would come as
 * a JSON number, which is not exact beyond 2^53.
 */
const RETURNABLE_IN_ARRAY: ReadonlySet<string> = new Set(
  'text,uuid,smallint,integer,numeric,real,double,boolean,date,time,timestamp,json,jsonb'.split(','),
);

/** Reads a column that the Data API cannot return as text, under its own name. */
export function asReturnable(selection: SelectionNode, scope: Scope): SelectionNode {
  const expression = selection.selection;
  const type = typeOf(expression, scope);
  if (type === undefined || !isUnreturnable(type)) return selection;
  const sql = type.family === 'array' ? 'text[]' : 'text';
  if (AliasNode.is(expression)) {
    const cast = CastNode.create(expression.node, RawNode.createWithSql(sql));
    return SelectionNode.create(AliasNode.create(cast, expression.alias));
  }
  if (!ReferenceNode.is(expression) || !ColumnNode.is(expression.column)) return selection;
  const cast = CastNode.create(expression, RawNode.createWithSql(sql));
  return SelectionNode.create(AliasNode.create(cast, IdentifierNode.create(expression.column.column.name)));
}

function isUnreturnable({ sql, element }: ValueType): boolean {
  if (element === undefined) return UNRETURNABLE.has(sql.toLowerCase());
  return UNRETURNABLE.has(element.sql.toLowerCase()) || !RETURNABLE_IN_ARRAY.has(element.family);
}
