import { CastNode, PrimitiveValueListNode, RawNode, ValueNode, type OperationNode } from 'kysely';
import type { ValueType } from '../value-type.ts';
import { mapChildren } from './map-children.ts';

/**
 * Types that the Data API refuses to return (AWS: "geometric and monetary types"; the others were observed by its
 * users), and citext, of which nobody reports that it works. They are read as text.
 */
const UNRETURNABLE: ReadonlySet<string> = new Set(
  (
    'interval,timetz,time with time zone,"char",citext,money,macaddr,macaddr8,int8range,daterange,tsrange,tstzrange,' +
    'int4multirange,int8multirange,nummultirange,datemultirange,tsmultirange,tstzmultirange,' +
    'point,line,lseg,box,path,polygon,circle,regclass,regtype,regproc,regprocedure,regnamespace,regrole,' +
    'xml,tsvector,tsquery,bit,"bit",varbit,bit varying,hstore,ltree,pg_lsn,xid,xid8,tid,jsonpath'
  ).split(','),
);

/** Types of moments: the service breaks on one that is infinite (drizzle-orm issue 5308), which JSON is not. */
const MOMENTS: ReadonlySet<string> = new Set(['date', 'timestamp', 'timestamptz']);

/**
 * Types whose arrays come back as arrays. Of whole numbers only the narrow ones: in an array, a bigint would come as a
 * JSON number, which is not exact beyond 2^53.
 */
const RETURNABLE_IN_ARRAY: ReadonlySet<string> = new Set(
  'text,varchar,bpchar,uuid,smallint,integer,numeric,real,double precision,boolean,time,json,jsonb'.split(
    ',',
  ),
);

/** Whether a column of the type has to be read in another form than its own. */
export function isReadOtherwise({ sql, family, element }: ValueType): boolean {
  if (element === undefined) return UNRETURNABLE.has(bare(sql)) || MOMENTS.has(family);
  return !RETURNABLE_IN_ARRAY.has(bare(element.sql));
}

/** The type's name without a length: `bit(8)` is as unreturnable as `bit`. */
const bare = (sql: string): string => sql.toLowerCase().replace(/ *\([\d, ]*\)/, '');

/** The expression in the form in which it is read; `read-back.ts` makes the value of it again. */
export function readExpression(type: ValueType, expression: OperationNode): OperationNode {
  if (MOMENTS.has(type.family)) return asJson(expression);
  if (type.element === undefined) return as('text', expression);
  const texts = as('text[]', expression);
  // The service refuses arrays of several dimensions; JSON has them.
  return type.element.family === 'array' ? asJson(texts) : texts;
}

const TO_JSON = 'pg_catalog.to_json((';

const as = (sql: string, expression: OperationNode): OperationNode =>
  CastNode.create(expression, RawNode.createWithSql(sql));

const asJson = (expression: OperationNode): OperationNode => RawNode.create([TO_JSON, '))'], [expression]);

/**
 * Takes reading forms away again. Kysely hands a query that was begun with `db` and stands inside another one through the
 * plugin twice: first as if it were the whole statement, then as a part, where its columns must have their own types.
 */
export function unread(node: OperationNode): OperationNode {
  // Values may hold objects that look like nodes.
  if (ValueNode.is(node) || PrimitiveValueListNode.is(node)) return node;
  const inner = readFrom(node);
  return inner === undefined ? mapChildren(node, unread) : unread(inner);
}

/** What a reading form reads. An author's own cast names its type by another kind of node. */
function readFrom(node: OperationNode): OperationNode | undefined {
  if (RawNode.is(node)) return node.sqlFragments[0] === TO_JSON ? node.parameters[0] : undefined;
  const ours = CastNode.is(node) && RawNode.is(node.dataType) && !ValueNode.is(node.expression);
  return ours ? node.expression : undefined;
}
