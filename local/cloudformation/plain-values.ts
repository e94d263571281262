/** A JSON object, told from lists and scalars. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object under a key, or an empty one. */
export function recordAt(value: unknown, key: string): Readonly<Record<string, unknown>> {
  const found = isRecord(value) ? value[key] : undefined;
  return isRecord(found) ? found : {};
}

/** The list under a key, or an empty one; a single value counts as a list of one, as IAM has it. */
export function listAt(value: unknown, key: string): readonly unknown[] {
  const found = isRecord(value) ? value[key] : undefined;
  if (found === undefined) {
    return [];
  }
  return Array.isArray(found) ? found : [found];
}

/** The text under a key. */
export function textAt(value: unknown, key: string): string | undefined {
  const found = isRecord(value) ? value[key] : undefined;
  return typeof found === 'string' ? found : undefined;
}

/** The number under a key; CloudFormation also takes `"3"`. */
export function numberAt(value: unknown, key: string): number | undefined {
  const found = isRecord(value) ? value[key] : undefined;
  const number = typeof found === 'string' ? Number(found) : found;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

/** Whether the value under a key is true; CloudFormation also takes `"true"`. */
export function flagAt(value: unknown, key: string): boolean {
  const found = isRecord(value) ? value[key] : undefined;
  return found === true || found === 'true';
}

/** A scalar as the text that CloudFormation makes of it. */
export function scalarText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}
