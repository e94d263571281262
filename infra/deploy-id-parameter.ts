import { CfnParameter, NestedStack, Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

const LOGICAL_ID = 'ForerunDeployId';

/**
 * Hands the deploy id, and the commit where it is another, into nested stacks as a parameter. The template of a nested stack is a file whose name is its content, and
 * a self-mutating pipeline lists those files in its own definition: with the id inside, every deploy would change the pipeline.
 */
export function deployIdIn(scope: Construct, id: string): string {
  return Token.isUnresolved(id) ? id : idWithin(Stack.of(scope), id);
}

function idWithin(stack: Stack, id: string): string {
  const parent = stack.nestedStackParent;
  if (parent === undefined || !(stack instanceof NestedStack)) return id;
  const known = stack.node.tryFindChild(LOGICAL_ID);
  if (known instanceof CfnParameter && given.get(known) === id) return known.valueAsString;
  // A second construct in this stack may have an id of its own.
  const name = known === undefined ? LOGICAL_ID : `${LOGICAL_ID}${stack.node.children.length}`;
  const parameter = new CfnParameter(stack, name, {
    type: 'String',
    description: 'Which deploy asks Forerun for its migrations, or from which commit.',
  });
  given.set(parameter, id);
  stack.setParameter(parameter.logicalId, idWithin(parent, id));
  return parameter.valueAsString;
}

const given = new WeakMap<CfnParameter, string>();
