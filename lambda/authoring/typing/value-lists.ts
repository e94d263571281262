import { PrimitiveValueListNode, TupleNode, ValueListNode, ValueNode, type OperationNode } from 'kysely';
import { castValue, type Want } from './cast-value.ts';
import type { Place } from './walk.ts';

/** Every element of a list wants the same type. */
export function castInList(
  node: PrimitiveValueListNode | ValueListNode,
  { scope, wanted, walk }: Place,
): ValueListNode {
  if (PrimitiveValueListNode.is(node)) {
    return ValueListNode.create(node.values.map((value) => castValue(value, wanted)));
  }
  return ValueListNode.create(node.values.map((value) => walk(value, scope, wanted)));
}

/** Each element of a row or a tuple wants a type of its own. */
export function castEach(
  node: OperationNode,
  wants: readonly (Want | undefined)[],
  { scope, walk }: Place,
): OperationNode {
  if (PrimitiveValueListNode.is(node)) {
    return ValueListNode.create(node.values.map((value, at) => castValue(value, wants[at])));
  }
  if (TupleNode.is(node))
    return TupleNode.create(node.values.map((value, at) => walk(value, scope, wants[at])));
  if (ValueListNode.is(node)) {
    return ValueListNode.create(node.values.map((value, at) => walk(value, scope, wants[at])));
  }
  return walk(node, scope);
}

/** Kysely makes a list of every JavaScript array; beside an array or a JSON column it is one value. */
export function asOneValue(node: OperationNode): OperationNode {
  if (PrimitiveValueListNode.is(node)) return ValueNode.create(node.values);
  return node;
}
