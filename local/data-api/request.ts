import { isJsonNumber, parseExactJson } from './exact-json.ts';
import { ServiceError } from './service-error.ts';

export interface SqlParameter {
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly typeHint: string | undefined;
}

/** Members that every operation has. */
export interface RequestBase {
  readonly resourceArn: string;
  readonly secretArn: string;
}

/** The service's limits. https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html */
export const LIMITS = {
  /** Characters of one statement. */
  sqlCharacters: 65_536,
  /** Bytes of a request with its headers. */
  requestBytes: 4 * 1024 * 1024,
  /** Characters of a database's name. */
  databaseCharacters: 64,
  /** Characters of a transaction id. */
  transactionCharacters: 192,
  /** Characters of an ARN, at least and at most. */
  arnCharacters: [11, 570],
} as const;

export type JsonObject = Readonly<Record<string, unknown>>;

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

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isJsonNumber(value);
}

/** A text member, or undefined where it is absent. */
export function optionalText(body: JsonObject, member: string): string | undefined {
  const value = body[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrongType(member);
  return value;
}

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

export function optionalObject(body: JsonObject, member: string): JsonObject {
  const value = body[member] ?? {};
  if (!isObject(value)) throw wrongType(member);
  return value;
}

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

export function base(body: JsonObject): RequestBase {
  const resourceArn = requiredText(body, 'resourceArn');
  const secretArn = requiredText(body, 'secretArn');
  const [least, most] = LIMITS.arnCharacters;
  for (const [member, value] of Object.entries({ resourceArn, secretArn })) {
    if (value.length < least || value.length > most) {
      throw new ServiceError('ValidationException', `${member} must have ${least} to ${most} characters`);
    }
  }
  return { resourceArn, secretArn };
}

export function database(body: JsonObject): string | undefined {
  if (optionalText(body, 'schema') !== undefined) {
    throw new ServiceError('ValidationException', "The schema parameter isn't supported");
  }
  const name = optionalText(body, 'database');
  if (name !== undefined && name.length > LIMITS.databaseCharacters) {
    throw new ServiceError(
      'ValidationException',
      `database has more than ${LIMITS.databaseCharacters} characters`,
    );
  }
  return name === '' ? undefined : name;
}

export function sqlText(body: JsonObject): string {
  const sql = requiredText(body, 'sql');
  if (sql.length > LIMITS.sqlCharacters) {
    throw new ServiceError('ValidationException', `sql has more than ${LIMITS.sqlCharacters} characters`);
  }
  // The wire protocol ends a text at this character, so the database would see a shorter statement.
  if (sql.includes('\0')) throw new ServiceError('ValidationException', 'sql contains a null character');
  return sql;
}

export function transactionId(body: JsonObject): string | undefined {
  const id = optionalText(body, 'transactionId');
  if (id !== undefined && id.length > LIMITS.transactionCharacters) {
    throw new ServiceError(
      'ValidationException',
      `transactionId has more than ${LIMITS.transactionCharacters} characters`,
    );
  }
  return id === '' ? undefined : id;
}

export function parameterList(value: unknown): readonly SqlParameter[] {
  return list(value, 'parameters').map((entry) => {
    if (!isObject(entry)) throw wrongType('parameters');
    const typeHint = optionalText(entry, 'typeHint');
    return { name: requiredText(entry, 'name'), value: optionalObject(entry, 'value'), typeHint };
  });
}

function wrongType(member: string): ServiceError {
  return new ServiceError('SerializationException', `${member} is of the wrong type`);
}
