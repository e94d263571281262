import {
  DeleteQueryNode,
  InsertQueryNode,
  MergeQueryNode,
  SelectQueryNode,
  SetOperationNode,
  UpdateQueryNode,
  type OperationNode,
  type RootOperationNode,
  type SelectionNode,
} from 'kysely';
import { mapChildren } from './map-children.ts';
import type { Scope } from './scope.ts';
import { asReturnable, expandStars } from './select-list.ts';
import { scopeOf } from './type-of.ts';

/** The statement with every column that leaves the database in a type that the Data API can return. */
export function returnable(root: RootOperationNode, outer: Scope): RootOperationNode {
  if (SelectQueryNode.is(root)) return returnableSelect(root, outer);
  const writes =
    InsertQueryNode.is(root) ||
    UpdateQueryNode.is(root) ||
    DeleteQueryNode.is(root) ||
    MergeQueryNode.is(root);
  if (!writes || root.returning === undefined) return root;
  const selections = outgoing(root.returning.selections, scopeOf(root, outer));
  return { ...root, returning: { ...root.returning, selections } };
}

function returnableSelect(node: SelectQueryNode, outer: Scope): SelectQueryNode {
  const scope = scopeOf(node, outer);
  const branches = (child: OperationNode): OperationNode =>
    SelectQueryNode.is(child) ? returnableSelect(child, scope) : child;
  return {
    ...node,
    ...(node.selections === undefined ? {} : { selections: outgoing(node.selections, scope) }),
    ...(node.setOperations === undefined
      ? {}
      : { setOperations: node.setOperations.map((each: SetOperationNode) => mapChildren(each, branches)) }),
  };
}

function outgoing(selections: readonly SelectionNode[], scope: Scope): readonly SelectionNode[] {
  return expandStars(selections, scope).map((selection) => asReturnable(selection, scope));
}
