import type { OperationNode } from 'kysely';
import type { Want } from './cast-value.ts';
import type { Scope } from './scope.ts';

/** Casts the values in a node and below it; `wanted` is the type that the node itself should have. */
type Walk = (node: OperationNode, scope: Scope, wanted?: Want) => OperationNode;

/** Where a rule works: what it sees, what its node should become, and how to go on below. */
export interface Place {
  readonly scope: Scope;
  readonly wanted: Want | undefined;
  readonly walk: Walk;
}
