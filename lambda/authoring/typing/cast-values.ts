import {
  AggregateFunctionNode,
  AliasNode,
  BinaryOperationNode,
  CaseNode,
  DeleteQueryNode,
  FunctionNode,
  InsertQueryNode,
  MergeQueryNode,
  ParensNode,
  PrimitiveValueListNode,
  RawNode,
  SelectionNode,
  SelectQueryNode,
  UpdateQueryNode,
  ValueListNode,
  ValueNode,
  type OperationNode,
  type RootOperationNode,
} from 'kysely';
import type { Tables } from '../table.ts';
import { castValue, type Want } from './cast-value.ts';
import { castInCall, castInCase, castInOperation } from './expressions.ts';
import { mapChildren } from './map-children.ts';
import { castInDelete, castInInsert, castInMerge, castInSelect, castInUpdate } from './queries.ts';
import { returnable } from './returnable.ts';
import { rootScope, type Scope } from './scope.ts';
import { refuseUntypedTexts } from './untyped-texts.ts';
import { castInList } from './value-lists.ts';

/**
 * Writes `cast(:p as type)` around every value of a query whose type the tables tell.
 *
 * Why: the Data API binds a bare string as `text` and a whole number as `bigint`, and PostgreSQL then refuses
 * `uuid = text`, or, with citext, compares in a way nobody meant. Two directions meet: the type of a column goes up
 * through parentheses, functions and arithmetic (`typeOf`), and what is wanted goes down to the values (`Want`).
 */
export function castValues(root: RootOperationNode, tables: Tables): RootOperationNode {
  const scope = rootScope(tables);
  // A rule gives back a node of the kind it was given.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return walk(returnable(root, scope), scope) as RootOperationNode;
}

function walk(node: OperationNode, scope: Scope, wanted?: Want): OperationNode {
  const place = { scope, wanted, walk };
  // Values first: they may hold objects that look like nodes.
  if (ValueNode.is(node)) return node.immediate === true ? node : castValue(node.value, wanted);
  if (PrimitiveValueListNode.is(node) || ValueListNode.is(node)) return castInList(node, place);
  if (SelectQueryNode.is(node)) return castInSelect(node, place);
  if (InsertQueryNode.is(node)) return castInInsert(node, place);
  if (UpdateQueryNode.is(node)) return castInUpdate(node, place);
  if (DeleteQueryNode.is(node)) return castInDelete(node, place);
  if (MergeQueryNode.is(node)) return castInMerge(node, place);
  if (BinaryOperationNode.is(node)) return castInOperation(node, place);
  if (CaseNode.is(node)) return castInCase(node, place);
  if (FunctionNode.is(node) || AggregateFunctionNode.is(node)) return castInCall(node, place);
  if (RawNode.is(node)) refuseUntypedTexts(node, scope);
  const passesOn = ParensNode.is(node) || AliasNode.is(node) || SelectionNode.is(node);
  return mapChildren(node, (child) => walk(child, scope, passesOn ? wanted : undefined));
}
