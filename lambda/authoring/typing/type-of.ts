import {
  AggregateFunctionNode,
  AliasNode,
  BinaryOperationNode,
  CaseNode,
  CastNode,
  ColumnNode,
  DataTypeNode,
  DeleteQueryNode,
  FunctionNode,
  IdentifierNode,
  InsertQueryNode,
  JSONOperatorChainNode,
  JSONReferenceNode,
  MergeQueryNode,
  OperatorNode,
  ParensNode,
  RawNode,
  ReferenceNode,
  SelectAllNode,
  SelectQueryNode,
  SelectionNode,
  TableNode,
  UpdateQueryNode,
  type OperationNode,
  type WithNode,
} from 'kysely';
import { BOOLEAN, isNumber, TEXT, wider, type ValueType } from '../value-type.ts';
import { callType, castType } from './call-types.ts';
import { ARITHMETIC, COMPARISONS } from './operators.ts';
import { findColumn, findTable, innerScope, unknownSource, type Scope, type Source } from './scope.ts';

/** The type of an expression, read upwards from its columns; undefined when nothing tells it. */
export function typeOf(node: OperationNode, scope: Scope): ValueType | undefined {
  if (ReferenceNode.is(node)) return typeOfReference(node, scope);
  if (ColumnNode.is(node)) return findColumn(scope, node.column.name);
  if (ParensNode.is(node)) return typeOf(node.node, scope);
  if (AliasNode.is(node)) return typeOf(node.node, scope);
  if (SelectionNode.is(node)) return typeOf(node.selection, scope);
  if (CastNode.is(node)) return castType(DataTypeNode.is(node.dataType) ? node.dataType.dataType : '');
  if (JSONReferenceNode.is(node)) return typeOfJsonPart(node, scope);
  if (CaseNode.is(node))
    return firstType([...(node.when ?? []).map((when) => when.result), node.else], scope);
  if (FunctionNode.is(node)) return callType(node.func, firstType(node.arguments, scope));
  if (AggregateFunctionNode.is(node)) return callType(node.func, firstType(node.aggregated, scope));
  if (BinaryOperationNode.is(node)) return typeOfOperation(node, scope);
  if (SelectQueryNode.is(node)) return outputsOf(node, scope)?.[0]?.type;
  return undefined;
}

/** The first type that one of the expressions has. */
export function firstType(
  nodes: readonly (OperationNode | undefined)[],
  scope: Scope,
): ValueType | undefined {
  for (const node of nodes) {
    const type = node === undefined ? undefined : typeOf(node, scope);
    if (type !== undefined) return type;
  }
  return undefined;
}

function typeOfReference(node: ReferenceNode, scope: Scope): ValueType | undefined {
  if (!ColumnNode.is(node.column)) return undefined;
  const table = node.table?.table;
  return findColumn(
    scope,
    node.column.column.name,
    table === undefined ? undefined : { name: table.identifier.name, schema: table.schema?.name },
  );
}

/** `->` stays JSON, `->>` is text, whatever the document holds. */
function typeOfJsonPart({ reference, traversal }: JSONReferenceNode, scope: Scope): ValueType | undefined {
  if (!JSONOperatorChainNode.is(traversal)) return undefined;
  return traversal.operator.operator === '->>' ? TEXT : typeOf(reference, scope);
}

function typeOfOperation(node: BinaryOperationNode, scope: Scope): ValueType | undefined {
  const operator = OperatorNode.is(node.operator) ? node.operator.operator : '';
  if (COMPARISONS.has(operator)) return BOOLEAN;
  const left = typeOf(node.leftOperand, scope);
  const right = typeOf(node.rightOperand, scope);
  if (operator === '||') return left?.element === undefined && left?.family !== 'jsonb' ? right : left;
  if (!ARITHMETIC.has(operator)) return undefined;
  if (left === undefined || right === undefined) return onlyNumber(left ?? right);
  return isNumber(left) && isNumber(right) ? wider(left, right) : undefined;
}

function onlyNumber(type: ValueType | undefined): ValueType | undefined {
  return type !== undefined && isNumber(type) ? type : undefined;
}

/** One column that a query gives back. */
export interface Output {
  readonly name: string;
  readonly type: ValueType | undefined;
}

/** The columns that a query gives back; undefined when they cannot be told from here. */
export function outputsOf(query: OperationNode, outer: Scope): readonly Output[] | undefined {
  if (ParensNode.is(query)) return outputsOf(query.node, outer);
  const selections = selectionsOf(query);
  if (selections === undefined) return undefined;
  const scope = scopeOf(query, outer);
  const outputs: Output[] = [];
  for (const { selection } of selections) {
    const more = outputsOfSelection(selection, scope);
    if (more === undefined) return undefined;
    outputs.push(...more);
  }
  return outputs;
}

function selectionsOf(query: OperationNode): readonly SelectionNode[] | undefined {
  if (SelectQueryNode.is(query)) return query.selections ?? [];
  const writes =
    InsertQueryNode.is(query) ||
    UpdateQueryNode.is(query) ||
    DeleteQueryNode.is(query) ||
    MergeQueryNode.is(query);
  return writes ? (query.returning?.selections ?? []) : undefined;
}

function outputsOfSelection(selection: OperationNode, scope: Scope): readonly Output[] | undefined {
  const starred = starSources(selection, scope);
  if (starred !== undefined) {
    if (starred.some((source) => !source.complete)) return undefined;
    return starred.flatMap((source) => [...source.columns].map(([name, type]) => ({ name, type })));
  }
  const name = outputName(selection);
  return name === undefined ? undefined : [{ name, type: typeOf(selection, scope) }];
}

/** The sources that a `*` or `table.*` stands for; undefined for anything else. */
export function starSources(selection: OperationNode, scope: Scope): readonly Source[] | undefined {
  if (SelectAllNode.is(selection)) return scope.sources.filter((source) => source.onlyByName !== true);
  if (!ReferenceNode.is(selection) || !SelectAllNode.is(selection.column)) return undefined;
  const name = selection.table?.table.identifier.name;
  const found = scope.sources.filter((source) => source.name === name);
  return found.length === 0 ? [unknownSource(name ?? '')] : found;
}

function outputName(selection: OperationNode): string | undefined {
  if (AliasNode.is(selection)) return IdentifierNode.is(selection.alias) ? selection.alias.name : undefined;
  if (ReferenceNode.is(selection) && ColumnNode.is(selection.column)) return selection.column.column.name;
  if (FunctionNode.is(selection) || AggregateFunctionNode.is(selection)) return selection.func;
  return undefined;
}

/** What the parts of a query see: its own sources, its common table expressions, the query around it. */
export function scopeOf(query: OperationNode, outer: Scope): Scope {
  if (SelectQueryNode.is(query)) {
    const around = withScope(query.with, outer);
    return joined(around, [...(query.from?.froms ?? []), ...(query.joins ?? []).map((join) => join.table)]);
  }
  if (InsertQueryNode.is(query)) {
    const around = withScope(query.with, outer);
    const target = query.into === undefined ? outer.target : sourceOf(query.into, around);
    return innerScope(around, target === undefined ? outer.sources : [target], target);
  }
  if (UpdateQueryNode.is(query)) {
    const around = withScope(query.with, outer);
    const joins = (query.joins ?? []).map((join) => join.table);
    if (query.table === undefined) return innerScope(around, outer.sources, outer.target);
    return joined(around, [query.table, ...(query.from?.froms ?? []), ...joins]);
  }
  if (DeleteQueryNode.is(query)) {
    const around = withScope(query.with, outer);
    const joins = (query.joins ?? []).map((join) => join.table);
    return joined(around, [...query.from.froms, ...(query.using?.tables ?? []), ...joins]);
  }
  if (MergeQueryNode.is(query)) {
    const around = withScope(query.with, outer);
    return joined(around, [query.into, ...(query.using === undefined ? [] : [query.using.table])]);
  }
  return outer;
}

/** `outer` with the common table expressions of a `with`; each sees those before it. */
export function withScope(node: WithNode | undefined, outer: Scope): Scope {
  let scope = outer;
  for (const cte of node?.expressions ?? []) {
    const name = cte.name.table.table.identifier.name;
    const columns = cte.name.columns?.map((column) => column.column.name);
    const outputs = outputsOf(cte.expression, scope);
    scope = { ...innerScope(scope, []), ctes: new Map([[name, sourceFrom(name, outputs, columns)]]) };
  }
  return scope;
}

function joined(around: Scope, nodes: readonly OperationNode[]): Scope {
  const sources = nodes.map((node) => sourceOf(node, around));
  return innerScope(around, sources, sources[0]);
}

function sourceOf(node: OperationNode, scope: Scope): Source {
  if (TableNode.is(node)) {
    const { identifier, schema } = node.table;
    return findTable(scope, identifier.name, schema?.name);
  }
  if (!AliasNode.is(node)) return unknownSource('');
  if (RawNode.is(node.alias)) return unknownSource('');
  const name = IdentifierNode.is(node.alias) ? node.alias.name : '';
  if (!TableNode.is(node.node)) return sourceFrom(name, outputsOf(node.node, scope));
  const { columns, complete } = sourceOf(node.node, scope);
  return { name, columns, complete };
}

function sourceFrom(
  name: string,
  outputs: readonly Output[] | undefined,
  renamed?: readonly string[],
): Source {
  if (outputs === undefined) return unknownSource(name);
  const columns = new Map(outputs.map((output, at) => [renamed?.[at] ?? output.name, output.type]));
  return { name, columns, complete: columns.size === outputs.length };
}
