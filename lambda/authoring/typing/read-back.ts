import type { RootOperationNode } from 'kysely';
import type { Tables } from '../table.ts';
import type { Family, ValueType } from '../value-type.ts';
import { rootScope } from './scope.ts';
import { outputsOf } from './type-of.ts';

type Row = Record<string, unknown>;

/** What is still to be done with the rows of a query; undefined when nothing is. */
export type ReadBack = (row: Row) => Row;

/**
 * What had to leave the database in another form (see `reading.ts`) gets its values back. Everything else the database
 * port has converted already.
 */
export function readBackOf(root: RootOperationNode, tables: Tables): ReadBack | undefined {
  const conversions = (outputsOf(root, rootScope(tables)) ?? []).flatMap(({ name, type }) => {
    const convert = type === undefined ? undefined : conversionOf(type);
    return convert === undefined ? [] : [{ name, convert }];
  });
  if (conversions.length === 0) return undefined;
  return (row) => {
    const converted = conversions.map(({ name, convert }) => [name, each(row[name], convert)] as const);
    return { ...row, ...Object.fromEntries(converted) };
  };
}

type Convert = (text: string) => unknown;

function conversionOf({ family, element }: ValueType): Convert | undefined {
  if (element === undefined) {
    if (family === 'timestamptz') return isoMoment;
    return family === 'timestamp' ? (text) => text.replace('T', ' ') : undefined;
  }
  // The elements of several dimensions come as texts all of them.
  if (element.family === 'array') return ELEMENT_CONVERSIONS[innermost(element).family];
  const { family: of } = element;
  return of === 'bigint' || of === 'timestamptz' || of === 'bytes' ? ELEMENT_CONVERSIONS[of] : undefined;
}

const innermost = (type: ValueType): ValueType =>
  type.element === undefined ? type : innermost(type.element);

/** From the text of an element to its value; what is not named here stays a text. */
const ELEMENT_CONVERSIONS: Partial<Record<Family, Convert>> = {
  smallint: Number,
  integer: Number,
  real: Number,
  double: Number,
  bigint: BigInt,
  boolean: (text) => text === 'true',
  timestamptz: isoMoment,
  bytes: (text) => Uint8Array.from(Buffer.from(text.slice('\\x'.length), 'hex')),
  json: (text): unknown => JSON.parse(text),
  jsonb: (text): unknown => JSON.parse(text),
};

const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?([+-]\d\d(?::\d\d)?)$/;

/** A moment as a session of any time zone prints it, in UTC; what has no such form (infinity, BC) stays as it is. */
function isoMoment(text: string): string {
  const [, day, time, fraction = '', offset = '+00'] = MOMENT.exec(text) ?? [];
  if (day === undefined || time === undefined) return text;
  const utc = new Date(`${day}T${time}${offset.length === 3 ? `${offset}:00` : offset}`);
  return `${utc.toISOString().slice(0, -'.000Z'.length)}${fraction}Z`;
}

function each(value: unknown, convert: Convert): unknown {
  if (typeof value === 'string') return convert(value);
  if (!Array.isArray(value)) return value;
  const items: readonly unknown[] = value;
  return items.map((item) => each(item, convert));
}
