import { PARAM_TEXT } from './contract.ts';

/**
 * The parameters of a deploy, from JSON and the texts that only the deploy knew; null where they are not as the construct writes
 * them. No parser's message gets out, because it would quote values.
 */
export function paramsFrom(json: unknown, texts?: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof json !== 'string' || (texts !== undefined && !isTexts(texts))) return null;
  const used = new Set<number>();
  const fill = (_key: string, value: unknown): unknown => {
    const at = texts === undefined ? null : placeIn(value);
    if (at === null) return value;
    used.add(at);
    return texts?.[at];
  };
  try {
    const params: unknown = JSON.parse(json, fill);
    if (typeof params !== 'object' || params === null || Array.isArray(params)) return null;
    // A text that is not there, or that nobody asks for: the two halves are not of one deploy.
    const expected = texts?.length ?? 0;
    if (used.size !== expected || [...used].some((at) => at >= expected)) return null;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return params as Readonly<Record<string, unknown>>;
  } catch {
    return null;
  }
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** Which text belongs here; null where the value is one itself. */
function placeIn(value: unknown): number | null {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, PARAM_TEXT)) return null;
  const at: unknown = Reflect.get(value, PARAM_TEXT);
  return typeof at === 'number' ? at : null;
}
