import type { Engine } from './engine.ts';
import { resolve } from './intrinsics.ts';
import type { Operation } from './operation.ts';
import { scalarText } from './plain-values.ts';
import { ResourceFailure } from './resource-failure.ts';

interface Outputs {
  readonly outputs: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
}

/** The outputs of a stack whose resources all stand; an export that another stack uses can neither change nor go. */
export function resolveOutputs(engine: Engine, { stack, target, scope }: Operation): Outputs {
  const outputs: Record<string, string> = {};
  const exports: Record<string, string> = {};
  for (const [name, output] of Object.entries(target.template.Outputs)) {
    if (output.Condition === undefined || scope.condition(output.Condition)) {
      const value = valueOf(engine, name, () => textOf(resolve(output.Value, scope)));
      outputs[name] = value;
      if (output.Export !== undefined) {
        exports[textOf(resolve(output.Export.Name, scope))] = value;
      }
    }
  }
  for (const [name, value] of Object.entries(stack.exports)) {
    const user = engine.importerOf(stack, name);
    if (user !== undefined && exports[name] !== value) {
      const verb = exports[name] === undefined ? 'delete' : 'update';
      throw new ResourceFailure(`Cannot ${verb} export ${name} as it is in use by ${user}.`);
    }
  }
  return { outputs, exports };
}

/** An output of made-up values may not be computable; nothing of the stack depends on it. */
function valueOf({ passOver }: Engine, name: string, compute: () => string): string {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof ResourceFailure) || passOver === undefined) {
      throw error;
    }
    passOver(`The output ${name} is not known here.`);
    return `unknown-${name}`;
  }
}

function textOf(value: unknown): string {
  return scalarText(value) ?? JSON.stringify(value);
}
