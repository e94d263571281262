import { ServiceError } from './service-error.ts';
import { OID } from './type-names.ts';

interface Hint {
  readonly oid: number;
  accepts(text: string): boolean;
}

const DATE = String.raw`\d{4}-\d{2}-\d{2}`;
const TIME = String.raw`\d{2}:\d{2}:\d{2}(\.\d{1,3})?`;
const matches =
  (pattern: string) =>
  (text: string): boolean =>
    new RegExp(`^${pattern}$`, 'u').test(text);

/**
 * What each hint accepts and as what it binds.
 * https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/API_SqlParameter.html: a time has at most three digits
 * of fraction, and a timestamp knows neither `T` nor a zone.
 */
const HINTS: ReadonlyMap<string, Hint> = new Map([
  ['DATE', { oid: OID.date, accepts: matches(DATE) }],
  ['TIME', { oid: OID.time, accepts: matches(TIME) }],
  ['TIMESTAMP', { oid: OID.timestamp, accepts: matches(`${DATE} ${TIME}`) }],
  ['DECIMAL', { oid: OID.numeric, accepts: matches(String.raw`[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?`) }],
  ['UUID', { oid: OID.uuid, accepts: matches('[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}') }],
  ['JSON', { oid: OID.jsonb, accepts: isJson }],
]);

/** The type a hint binds as; a text that is not in the hint's format is refused. Null has no format. */
export function hintedType(hint: string, name: string, text: string | null): number {
  const found = HINTS.get(hint);
  if (found === undefined)
    throw new ServiceError('ValidationException', `Unknown type hint of parameter: ${name}`);
  if (text !== null && !found.accepts(text)) {
    throw new ServiceError(
      'BadRequestException',
      `Parameter ${name} is not in the format of type hint ${hint}`,
    );
  }
  return found.oid;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
