import { arrayElements } from './array-text.ts';
import { compactJson } from './compact-json.ts';
import { rawJson } from './exact-json.ts';
import { ServiceError } from './service-error.ts';
import { inUtc, plainDate, withFraction } from './time-text.ts';
import type { ColumnType } from './type-names.ts';

/** One value of a result, as the API writes it. */
export type Field = Readonly<Record<string, unknown>>;

export interface ReturnTypes {
  readonly decimals: 'STRING' | 'DOUBLE_OR_LONG';
  readonly longs: 'LONG' | 'STRING';
}

type FieldMember = 'booleanValue' | 'longValue' | 'doubleValue' | 'stringValue' | 'blobValue';

interface Reader {
  readonly member: FieldMember;
  read(text: string): unknown;
  /** Whether arrays of it are supported too. */
  readonly inArrays: boolean;
}

const text = (value: string): string => value;
const asText: Reader = { member: 'stringValue', read: text, inArrays: false };
const asTextAlsoInArrays: Reader = { ...asText, inArrays: true };
const asLong: Reader = { member: 'longValue', read: rawJson, inArrays: true };
const asDouble: Reader = { member: 'doubleValue', read: double, inArrays: true };

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.limitations.html lists what comes back at all. */
const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['bool', { member: 'booleanValue', read: (value) => value === 't', inArrays: true }],
  ['int2', asLong],
  ['int4', asLong],
  ['int8', asLong],
  ['oid', { ...asLong, inArrays: false }],
  ['float4', asDouble],
  ['float8', asDouble],
  ['bytea', { member: 'blobValue', read: base64, inArrays: false }],
  ['json', { member: 'stringValue', read: compactJson, inArrays: true }],
  ['jsonb', { member: 'stringValue', read: compactJson, inArrays: true }],
  ['date', { member: 'stringValue', read: plainDate, inArrays: true }],
  ['time', { member: 'stringValue', read: withFraction, inArrays: true }],
  ['timestamp', { member: 'stringValue', read: withFraction, inArrays: true }],
  ['timestamptz', { member: 'stringValue', read: inUtc, inArrays: false }],
  ...['text', 'varchar', 'bpchar', 'name', 'numeric', 'uuid'].map((name): [string, Reader] => [
    name,
    asTextAlsoInArrays,
  ]),
  ...['cidr', 'inet', 'int4range', 'numrange', 'vector'].map((name): [string, Reader] => [name, asText]),
]);

/** How a column's texts become fields; a type the service cannot return is refused with its name. */
export function fieldReader(type: ColumnType, wanted: ReturnTypes): (value: string | null) => Field {
  const reader = readerOf(type, wanted);
  if (reader === undefined) {
    const message = `The result contains the unsupported data type ${type.display}.`;
    throw new ServiceError('UnsupportedResultException', message);
  }
  if (type.name === 'numeric' && wanted.decimals === 'DOUBLE_OR_LONG') {
    return (value) => (value === null ? { isNull: true } : number(value));
  }
  const read =
    type.element === undefined
      ? (value: string): Field => ({ [reader.member]: reader.read(value) })
      : (value: string): Field => arrayField(reader, value);
  return (value) => (value === null ? { isNull: true } : read(value));
}

function readerOf(type: ColumnType, wanted: ReturnTypes): Reader | undefined {
  if (type.isEnum) return asText;
  if (type.element !== undefined) {
    const reader = READERS.get(type.element);
    return reader?.inArrays === true ? reader : undefined;
  }
  const reader = READERS.get(type.name);
  if (reader?.member === 'longValue' && wanted.longs === 'STRING') return asText;
  return reader;
}

function arrayField(reader: Reader, value: string): Field {
  const elements = arrayElements(value).map((element) => (element === null ? null : reader.read(element)));
  return { arrayValue: { [`${reader.member}s`]: elements } };
}

/** A decimal without a fraction is a long where it fits. */
function number(value: string): Field {
  const isLong = /^-?\d+$/u.test(value) && BigInt.asIntN(64, BigInt(value)) === BigInt(value);
  return isLong ? { longValue: rawJson(value) } : { doubleValue: double(value) };
}

/** Keeps the database's digits; JSON has no word for the three special values. */
function double(value: string): unknown {
  return /^-?\d/u.test(value) ? rawJson(value) : value;
}

function base64(value: string): string {
  return Buffer.from(value.slice(2), 'hex').toString('base64');
}
