import { ForerunError, UNTOUCHED } from '../engine/errors.ts';
import { meantBy } from '../engine/near-miss.ts';
import type { ParamsSchema } from './params.ts';

/**
 * Refuses a parameter that no migration of the history looks at, a misspelt one above all: migrations that may be left without it
 * would run with something else. Standard Schema does not tell the keys of a schema, so each schema is watched while it
 * validates: what it looks at, it knows. One that takes everything knows everything.
 */
export function unreadParams(schemas: readonly ParamsSchema[], given: unknown): ForerunError | undefined {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined;
  const keys = Object.keys(given);
  if (keys.length === 0) return undefined;
  const known = new Set<string>();
  for (const schema of schemas) {
    if (looksAt(schema, given, known) === 'everything') return undefined;
  }
  const unread = keys.find((key) => !known.has(key));
  return unread === undefined ? undefined : refused(unread, [...known].toSorted());
}

/** Notes what a schema asks an object for. */
function looksAt(schema: ParamsSchema, given: object, known: Set<string>): 'everything' | 'its own' {
  const note = (key: string | symbol): void => {
    // What any object has says nothing about parameters.
    if (typeof key === 'string' && !(key in Object.prototype)) known.add(key);
  };
  const watched: object = new Proxy(given, {
    get(target, key) {
      note(key);
      return Reflect.get(target, key);
    },
    has(target, key) {
      note(key);
      return Reflect.has(target, key);
    },
  });
  let result: ReturnType<ParamsSchema['~standard']['validate']>;
  try {
    result = schema['~standard'].validate(watched);
  } catch {
    // Refused where the parameters are read, as is a promise.
    return 'everything';
  }
  if (result instanceof Promise) {
    // Nobody may hear it fail here.
    result.catch(() => undefined);
    return 'everything';
  }
  return result.issues === undefined && result.value === watched ? 'everything' : 'its own';
}

function refused(key: string, known: readonly string[]): ForerunError {
  const names = known.map((name) => `"${name}"`).join(', ');
  return new ForerunError('params-refused', {
    what: `No migration asks for the parameter "${key}"${meantBy(key, known)}.`,
    state: UNTOUCHED,
    next:
      known.length === 0
        ? 'Leave it out of the property params of Migrations (or of "params" in the event), or name it in the schema params of the migration that needs it.'
        : `Migrations ask for ${names}: correct the name in the property params of Migrations (or in "params" of the event), or leave it out.`,
  });
}
