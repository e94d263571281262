import {
  ColumnNode,
  ColumnUpdateNode,
  OnConflictNode,
  ReferenceNode,
  ReturningNode,
  SelectQueryNode,
  SetOperationNode,
  ValuesNode,
  WithNode,
  type DeleteQueryNode,
  type InsertQueryNode,
  type MergeQueryNode,
  type OperationNode,
  type SelectionNode,
  type UpdateQueryNode,
} from 'kysely';
import { want, type Want } from './cast-value.ts';
import { mapChildren } from './map-children.ts';
import { innerScope, type Scope, type Source } from './scope.ts';
import { expandStars } from './select-list.ts';
import { outputsOf, scopeOf, withScope } from './type-of.ts';
import { castEach } from './value-lists.ts';
import type { Place } from './walk.ts';

type Wants = readonly (Want | undefined)[];

/** A select on its own, or one whose first column should have the wished type (a subselect in a comparison). */
export function castInSelect(node: SelectQueryNode, place: Place): SelectQueryNode {
  return castColumns(node, [place.wanted], place);
}

/** A select whose columns have wishes, one each: in `insert … select`, in a branch of a union. */
function castColumns(node: SelectQueryNode, wants: Wants, place: Place): SelectQueryNode {
  const scope = scopeOf(node, place.scope);
  const rest = mapChildren({ ...node, selections: [] }, (child) => {
    if (WithNode.is(child)) return castInWith(child, place);
    if (SetOperationNode.is(child)) return castInBranch(child, branchWants(node, wants, place.scope), place);
    return place.walk(child, scope);
  });
  if (node.selections === undefined) return { ...rest, selections: [] };
  const selections = expandStars(node.selections, scope).map((selection, at) =>
    mapChildren(selection, (child) => place.walk(child, scope, wants[at])),
  );
  return { ...rest, selections };
}

/** The branches of a union have the column types of the first, unless somebody wants others. */
function branchWants(node: SelectQueryNode, wants: Wants, outer: Scope): Wants {
  if (wants.some((wish) => wish !== undefined)) return wants;
  return (outputsOf(node, outer) ?? []).map((output) => want(output.type, 'compute'));
}

function castInBranch(node: SetOperationNode, wants: Wants, place: Place): SetOperationNode {
  return mapChildren(node, (child) =>
    SelectQueryNode.is(child) ? castColumns(child, wants, place) : place.walk(child, place.scope),
  );
}

/** Each common table expression sees those before it; a recursive one sees itself, too. */
function castInWith(node: WithNode, { scope, walk }: Place): WithNode {
  return mapChildren(node, (child) => {
    const at = node.expressions.findIndex((expression) => expression === child);
    const before = {
      ...node,
      expressions: node.expressions.slice(0, at + (node.recursive === true ? 1 : 0)),
    };
    return walk(child, withScope(before, scope));
  });
}

/** `insert`: rows and selected columns want the types of the columns they go into. */
export function castInInsert(node: InsertQueryNode, place: Place): InsertQueryNode {
  const scope = scopeOf(node, place.scope);
  const wants = (node.columns ?? []).map((column) => columnWant(scope.target, column));
  const inside = { ...place, scope, wanted: undefined };
  return mapChildren(node, (child) => {
    if (WithNode.is(child)) return castInWith(child, place);
    if (ValuesNode.is(child)) return mapChildren(child, (row) => castEach(row, wants, inside));
    if (child === node.values && SelectQueryNode.is(child)) return castColumns(child, wants, inside);
    if (OnConflictNode.is(child)) return castInConflict(child, inside);
    return castInPart(child, inside);
  });
}

/** `on conflict`: `excluded` has the columns of the target. */
function castInConflict(node: OnConflictNode, place: Place): OnConflictNode {
  const { target } = place.scope;
  const excluded: readonly Source[] =
    target === undefined
      ? []
      : [{ name: 'excluded', columns: target.columns, complete: false, onlyByName: true }];
  const scope = innerScope(place.scope, [...place.scope.sources, ...excluded], target);
  return mapChildren(node, (child) => castInAssignment(child, { ...place, scope }));
}

/** `update`, also as a branch of a merge. */
export function castInUpdate(node: UpdateQueryNode, place: Place): UpdateQueryNode {
  const scope = scopeOf(node, place.scope);
  const inside = { ...place, scope, wanted: undefined };
  return mapChildren(node, (child) => {
    if (WithNode.is(child)) return castInWith(child, place);
    return castInAssignment(child, inside);
  });
}

/** `set column = value`: the value wants the column's type. */
function castInAssignment(node: OperationNode, place: Place): OperationNode {
  if (!ColumnUpdateNode.is(node)) return castInPart(node, place);
  const name = columnName(node.column);
  const wish = name === undefined ? undefined : want(place.scope.target?.columns.get(name), 'store');
  return {
    ...node,
    value: place.walk(node.value, place.scope, wish),
  } satisfies ColumnUpdateNode as OperationNode;
}

function columnName(node: OperationNode): string | undefined {
  if (ReferenceNode.is(node)) return columnName(node.column);
  return ColumnNode.is(node) ? node.column.name : undefined;
}

export function castInDelete(node: DeleteQueryNode, place: Place): DeleteQueryNode {
  return castInWrite(node, place);
}

/** `merge`: its branches find the target in the scope. */
export function castInMerge(node: MergeQueryNode, place: Place): MergeQueryNode {
  return castInWrite(node, place);
}

function castInWrite<N extends DeleteQueryNode | MergeQueryNode>(node: N, place: Place): N {
  const inside = { ...place, scope: scopeOf(node, place.scope), wanted: undefined };
  return mapChildren(node, (child) =>
    WithNode.is(child) ? castInWith(child, place) : castInPart(child, inside),
  );
}

function castInPart(child: OperationNode, { scope, walk }: Place): OperationNode {
  if (!ReturningNode.is(child)) return walk(child, scope);
  const selections: readonly SelectionNode[] = expandStars(child.selections, scope);
  return mapChildren({ ...child, selections }, (selection) => walk(selection, scope));
}

function columnWant(target: Source | undefined, column: ColumnNode): Want | undefined {
  return want(target?.columns.get(column.column.name), 'store');
}
