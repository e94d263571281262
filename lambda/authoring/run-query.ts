import {
  DeleteQueryNode,
  InsertQueryNode,
  MergeQueryNode,
  RawNode,
  SelectQueryNode,
  UpdateQueryNode,
  type CompiledQuery,
  type RootOperationNode,
} from 'kysely';
import type { BoundValue, Session, Statement, StatementResult } from '../engine/ports.ts';
import { placeNames } from './named-parameters.ts';
import { plainValue } from './plain-value.ts';
import { placeholderName } from './placeholder-compiler.ts';

/** Sends a compiled query; rows are asked for only where the query can give some. */
export function runQuery(session: Session, compiled: CompiledQuery): Promise<StatementResult> {
  return session.execute(statementOf(compiled), { rows: givesRows(compiled.query) });
}

/** A compiled query as the database port takes it. */
export function statementOf({ sql, parameters }: CompiledQuery): Statement {
  const bound: Record<string, BoundValue> = {};
  for (const [at, value] of parameters.entries()) {
    bound[placeholderName(at + 1)] = plainValue(value, `parameter ${at + 1}`);
  }
  const placed = placeNames(sql, bound);
  return parameters.length === 0 ? { sql: placed } : { sql: placed, parameters: bound };
}

/** Whether the query changes rows, so that a count of them means something. */
export function isWrite(node: RootOperationNode): node is WriteNode {
  return (
    InsertQueryNode.is(node) ||
    UpdateQueryNode.is(node) ||
    DeleteQueryNode.is(node) ||
    MergeQueryNode.is(node)
  );
}

type WriteNode = InsertQueryNode | UpdateQueryNode | DeleteQueryNode | MergeQueryNode;

function givesRows(node: RootOperationNode): boolean {
  // What raw SQL is cannot be told without parsing it.
  if (SelectQueryNode.is(node) || RawNode.is(node)) return true;
  return isWrite(node) && (node.returning !== undefined || ('explain' in node && node.explain !== undefined));
}
