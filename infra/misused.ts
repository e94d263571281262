import type { IConstruct } from 'constructs';
import { ForerunError, UNTOUCHED } from '../lambda/engine/errors.ts';

/** A property that cannot work, found at synth: the path of the construct, what is wrong, and the line that mends it. */
export function misused(construct: IConstruct, wrong: string, next: string): ForerunError {
  return new ForerunError('construct-misused', {
    what: `Migrations '${construct.node.path}': ${wrong}`,
    state: UNTOUCHED,
    next,
  });
}
