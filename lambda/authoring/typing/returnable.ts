import {
  AliasNode,
  ColumnNode,
  DeleteQueryNode,
  IdentifierNode,
  InsertQueryNode,
  MergeQueryNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  UpdateQueryNode,
  type RootOperationNode,
} from 'kysely';
import { isReadOtherwise, readExpression } from './reading.ts';
import type { Scope } from './scope.ts';
import { asReturnable, expandStars } from './select-list.ts';
import { outputsOf, scopeOf, type Output } from './type-of.ts';

/** The statement with every column that leaves the database in a form that the Data API can return. */
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
  const outputs = comparesOutputs(node) ? outputsOf(node, outer) : undefined;
  if (outputs !== undefined && areDistinct(outputs)) {
    return outputs.some(({ type }) => type !== undefined && isReadOtherwise(type))
      ? around(node, outputs)
      : node;
  }
  if (node.selections === undefined) return node;
  return { ...node, selections: outgoing(node.selections, scopeOf(node, outer)) };
}

/**
 * Whether the select list takes part in sorting or in telling rows apart. A column cast in such a list would be sorted by
 * its text: `order by "lasts"` means the output column, and as text '10 days' comes before '2 days'.
 */
function comparesOutputs({ orderBy, distinctOn, frontModifiers, setOperations }: SelectQueryNode): boolean {
  return [orderBy?.items, distinctOn, frontModifiers, setOperations].some(
    (part) => part !== undefined && part.length > 0,
  );
}

const areDistinct = (outputs: readonly Output[]): boolean =>
  new Set(outputs.map(({ name }) => name)).size === outputs.length;

const INSIDE = 'rows_read';

/** The same query with a select list of its own around it; a subquery's order by stays in force under a mere select list. */
function around(node: SelectQueryNode, outputs: readonly Output[]): SelectQueryNode {
  const { with: ctes, explain, ...inside } = node;
  const selections = outputs.map(({ name, type }) => {
    const column = ReferenceNode.create(ColumnNode.create(name), TableNode.create(INSIDE));
    if (type === undefined || !isReadOtherwise(type)) return SelectionNode.create(column);
    return SelectionNode.create(AliasNode.create(readExpression(type, column), IdentifierNode.create(name)));
  });
  const from = SelectQueryNode.createFrom([AliasNode.create(inside, IdentifierNode.create(INSIDE))]);
  return {
    ...from,
    selections,
    // What writes in a `with` may only stand at the top.
    ...(ctes === undefined ? {} : { with: ctes }),
    ...(explain === undefined ? {} : { explain }),
  };
}

function outgoing(selections: readonly SelectionNode[], scope: Scope): readonly SelectionNode[] {
  return expandStars(selections, scope).map((selection) => asReturnable(selection, scope));
}
