/** JSON's own `null`, as opposed to SQL's: `{ data: jsonNull }` stores a value, `{ data: null }` stores none. */
export interface JsonNull {
  readonly jsonNull: true;
}

const KEY = Symbol.for('forerun.jsonNull');

/** The one value of `JsonNull`. */
export const jsonNull: JsonNull = Object.freeze({ jsonNull: true, [KEY]: true });

/** Recognises `jsonNull`, also one from another copy of this package. */
export function isJsonNull(value: unknown): value is JsonNull {
  return typeof value === 'object' && value !== null && KEY in value;
}
