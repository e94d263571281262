import {
  type JsonObject,
  list,
  objectOf,
  optionalObject,
  optionalText,
  requiredText,
} from './json-members.ts';
import { ServiceError } from './service-error.ts';

/** A named value as it was sent. */
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

/** The cluster and the secret, which every operation names. */
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

/** The database named; empty counts as not named. */
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

/** The statement. */
export function sqlText(body: JsonObject): string {
  const sql = requiredText(body, 'sql');
  if (sql.length > LIMITS.sqlCharacters) {
    throw new ServiceError('ValidationException', `sql has more than ${LIMITS.sqlCharacters} characters`);
  }
  // The wire protocol ends a text at this character, so the database would see a shorter statement.
  if (sql.includes('\0')) throw new ServiceError('ValidationException', 'sql contains a null character');
  return sql;
}

/** The transaction named; empty counts as not named. */
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

/** The parameters of a statement, or of one set of a batch. */
export function parameterList(value: unknown): readonly SqlParameter[] {
  return list(value, 'parameters').map((entry) => {
    const parameter = objectOf(entry, 'parameters');
    return {
      name: requiredText(parameter, 'name'),
      value: optionalObject(parameter, 'value'),
      typeHint: optionalText(parameter, 'typeHint'),
    };
  });
}
