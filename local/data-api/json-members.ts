import { isJsonNumber, parseExactJson } from './exact-json.ts';
import { ServiceError } from './service-error.ts';

/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The body of a request. */
export function parseBody(body: Buffer): JsonObject {
  let parsed: unknown;
  try {
    parsed = parseExactJson(body.toString('utf8'));
  } catch {
    throw new ServiceError('SerializationException', 'The body is not JSON');
  }
  if (!isObject(parsed)) throw new ServiceError('SerializationException', 'The body is not a JSON object');
  return parsed;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isJsonNumber(value);
}

/** A text member, or undefined where it is absent. */
export function optionalText(body: JsonObject, member: string): string | undefined {
  const value = body[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrongType(member);
  return value;
}

/** A text member that must be there and not be empty. */
export function requiredText(body: JsonObject, member: string): string {
  const value = optionalText(body, member);
  if (value === undefined || value === '')
    throw new ServiceError('ValidationException', `${member} is missing`);
  return value;
}

/** A flag; absent means false. */
export function flag(body: JsonObject, member: string): boolean {
  const value = body[member] ?? false;
  if (typeof value !== 'boolean') throw wrongType(member);
  return value;
}

/** An object member; absent means empty. */
export function optionalObject(body: JsonObject, member: string): JsonObject {
  return objectOf(body[member] ?? {}, member);
}

/** The value, which must be an object; `member` is what it is called in the refusal. */
export function objectOf(value: unknown, member: string): JsonObject {
  if (!isObject(value)) throw wrongType(member);
  return value;
}

/** The elements of an array; absent means none. */
export function list(value: unknown, member: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrongType(member);
  return value;
}

/** One of some words; the first is the default. */
export function choice<Word extends string>(
  body: JsonObject,
  member: string,
  words: readonly [Word, ...Word[]],
): Word {
  const value = optionalText(body, member);
  if (value === undefined) return words[0];
  const found = words.find((word) => word === value);
  if (found === undefined)
    throw new ServiceError('ValidationException', `${member} must be one of ${words.join(', ')}`);
  return found;
}

function wrongType(member: string): ServiceError {
  return new ServiceError('SerializationException', `${member} is of the wrong type`);
}
