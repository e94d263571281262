import type { Family, ValueType } from './value-type.ts';

/** How a column's values travel in JSON: the expression that goes in, and what the database port would have made of it. */
export interface Packing {
  expression(column: string): string;
  value(carried: unknown): unknown;
}

const asText = (column: string): string => `cast(${column} as text)`;
const itself = (column: string): string => column;
const asIs = (carried: unknown): unknown => carried;

const TEXT: Packing = { expression: asText, value: asIs };
const WHOLE: Packing = { expression: asText, value: whole };
const BIGINT: Packing = {
  expression: asText,
  value: (text) => (typeof text === 'string' ? BigInt(text) : text),
};
const OWN: Packing = { expression: itself, value: asIs };

/**
 * What JSON carries without loss and in one form only. The others keep a field of their own: bytes, which it has no form for; floats,
 * whose digits are the service's; padded texts, which a cast cuts; arrays and types that only the database knows.
 */
const PACKINGS: Partial<Record<Family, Packing>> = {
  text: TEXT,
  enum: TEXT,
  uuid: TEXT,
  smallint: WHOLE,
  integer: WHOLE,
  bigint: BIGINT,
  numeric: TEXT,
  boolean: OWN,
  // As JSON writes them they have one form, whatever the session's settings: the one that queries read them in.
  date: OWN,
  timestamp: OWN,
  timestamptz: OWN,
  time: TEXT,
  interval: TEXT,
  json: OWN,
  jsonb: OWN,
};

export const packingOf = ({ sql, family }: ValueType): Packing | undefined =>
  sql === 'bpchar' ? undefined : PACKINGS[family];

/** A column that is wider than it was declared may hold what a number does not: that stays a text. */
function whole(text: unknown): unknown {
  const number = Number(text);
  return String(number) === text ? number : text;
}
