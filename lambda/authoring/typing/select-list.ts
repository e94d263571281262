import { AliasNode, ColumnNode, IdentifierNode, ReferenceNode, SelectionNode, TableNode } from 'kysely';
import { isReadOtherwise, readExpression } from './reading.ts';
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

/** The selection in a form that the Data API can return, under its own name. */
export function asReturnable(selection: SelectionNode, scope: Scope): SelectionNode {
  const expression = selection.selection;
  const type = typeOf(expression, scope);
  if (type === undefined || !isReadOtherwise(type)) return selection;
  if (AliasNode.is(expression)) {
    return SelectionNode.create(AliasNode.create(readExpression(type, expression.node), expression.alias));
  }
  if (!ReferenceNode.is(expression) || !ColumnNode.is(expression.column)) return selection;
  const name = IdentifierNode.create(expression.column.column.name);
  return SelectionNode.create(AliasNode.create(readExpression(type, expression), name));
}
