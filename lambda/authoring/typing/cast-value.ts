import { CastNode, RawNode, ValueNode, type OperationNode } from 'kysely';
import { textOf } from '../value-text.ts';
import { INTEGER, isNumber, isWhole, NUMERIC, type ValueType } from '../value-type.ts';

/** The type that a value should have, and what for. */
export interface Want {
  readonly type: ValueType;
  /** `store`: it must fit the column. `compute`: it is compared with or added to one, so a wider number is fine. */
  readonly use: 'store' | 'compute';
}

/** A wish for `type`; undefined when there is none. */
export function want(type: ValueType | undefined, use: Want['use']): Want | undefined {
  return type === undefined ? undefined : { type, use };
}

/** The placeholder of a value; `cast(:p as type)` where its type is known. */
export function castValue(value: unknown, wanted: Want | undefined): OperationNode {
  if (wanted === undefined || value === undefined) return ValueNode.create(value);
  const type = wanted.use === 'compute' ? computedType(wanted.type, value) : wanted.type;
  return type === undefined ? ValueNode.create(value) : castAs(type, value);
}

/** `cast(:p as type)` over the value's text form; bytes travel as they are. */
export function castAs(type: ValueType, value: unknown): CastNode {
  const text = value === null ? null : textOf(type, value);
  const bound = type.family === 'bytes' && value !== null ? value : text;
  return CastNode.create(ValueNode.create(bound), RawNode.createWithSql(type.sql));
}

/**
 * The type for a value beside a column of `type`. A fraction or a number out of range beside whole numbers is
 * numeric, as the literal would be in SQL; a number beside a date counts days. Text beside a number or a date has no
 * type of its own.
 */
function computedType(type: ValueType, value: unknown): ValueType | undefined {
  if (isWhole(type) && !fitsWhole(type, value)) return NUMERIC;
  if (type.family === 'date' && typeof value === 'number') return INTEGER;
  return isNumber(type) && typeof value === 'boolean' ? undefined : type;
}

const BITS: Readonly<Record<string, bigint>> = { smallint: 15n, integer: 31n, bigint: 63n };

function fitsWhole(type: ValueType, value: unknown): boolean {
  // What is no number at all is left to the check of the type itself.
  if (typeof value !== 'bigint' && typeof value !== 'number') return true;
  if (typeof value === 'number' && !Number.isInteger(value)) return false;
  const edge = 2n ** (BITS[type.family] ?? 63n);
  const whole = BigInt(value);
  return whole >= -edge && whole < edge;
}
