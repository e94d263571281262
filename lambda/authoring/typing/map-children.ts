import type { OperationNode } from 'kysely';

/**
 * A copy of a node with every child node changed. Kysely's nodes are plain frozen objects whose properties are nodes,
 * lists of nodes, or leaves, so one function serves all of them, those of later versions included.
 */
export function mapChildren<N extends OperationNode>(
  node: N,
  change: (child: OperationNode) => OperationNode,
): N {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) {
    copy[key] = Array.isArray(value)
      ? Object.freeze(value.map((item) => changed(item, change)))
      : changed(value, change);
  }
  // Same kind, same keys: only the children differ.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.freeze(copy) as unknown as N;
}

function changed(value: unknown, change: (child: OperationNode) => OperationNode): unknown {
  return isNode(value) ? change(value) : value;
}

function isNode(value: unknown): value is OperationNode {
  return typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string';
}
