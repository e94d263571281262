const SOURCE = Symbol('source');

/** A number as it was written, because a 64-bit integer does not survive as a double. */
export interface JsonNumber {
  readonly [SOURCE]: string;
}

/** The digits of a number of `parseExactJson`. */
export function numberText(value: JsonNumber): string {
  return value[SOURCE];
}

/** Whether a value of `parseExactJson` is a number. */
export function isJsonNumber(value: unknown): value is JsonNumber {
  return typeof value === 'object' && value !== null && SOURCE in value;
}

/** Parses JSON; each number becomes a `JsonNumber`. Throws a `SyntaxError`. */
export function parseExactJson(text: string): unknown {
  return JSON.parse(text, (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? { [SOURCE]: context?.source ?? String(value) } : value,
  );
}

/** Something `JSON.stringify` writes out literally: for integers beyond 2^53 and for a float's own digits. */
export function rawJson(text: string): unknown {
  const make: unknown = Reflect.get(JSON, 'rawJSON');
  // The function is older than its types: Node 22 has it.
  return typeof make === 'function' ? Reflect.apply(make, JSON, [text]) : Number(text);
}
