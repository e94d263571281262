/** How a JavaScript value becomes the text that PostgreSQL reads; see `value-text.ts` for the rule of each. */
export type Family =
  | 'text'
  | 'enum'
  | 'uuid'
  | 'smallint'
  | 'integer'
  | 'bigint'
  | 'numeric'
  | 'real'
  | 'double'
  | 'boolean'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'interval'
  | 'json'
  | 'jsonb'
  | 'bytes'
  | 'other'
  | 'array';

/**
 * A PostgreSQL type as the run time needs it: what to write into `cast(… as …)` and how to encode a value.
 *
 * `sql` never carries a length, precision or scale: an explicit cast to `varchar(5)` or `char(5)` cuts a longer text
 * without a word, and one to `numeric(5,2)` rounds before comparing (PostgreSQL manual, "Type Casts" and "Character
 * Types"). Without it the assignment to the column checks the length, as it does for any other client.
 */
export interface ValueType {
  readonly sql: string;
  readonly family: Family;
  /** Type of the elements; only of an array. */
  readonly element?: ValueType;
  /** Members; only of an enum. */
  readonly members?: readonly string[];
  /** `table.column` that the type was read from; it names the place in a refusal. */
  readonly of?: string;
}

/** The array type over `element`; PostgreSQL makes no difference between one and several dimensions. */
export function arrayOf(element: ValueType): ValueType {
  return {
    sql: `${element.sql}[]`,
    family: 'array',
    element,
    ...(element.of === undefined ? {} : { of: element.of }),
  };
}

const scalar = (sql: string, family: Family): ValueType => ({ sql, family });

/** Types that the walk over a query needs without any table naming them. */
export const TEXT = scalar('text', 'text');
export const INTEGER = scalar('integer', 'integer');
export const BIGINT = scalar('bigint', 'bigint');
export const NUMERIC = scalar('numeric', 'numeric');
export const BOOLEAN = scalar('boolean', 'boolean');
export const TEXT_ARRAY = arrayOf(TEXT);

/** From narrow to wide: the wider of two operands is the type of their sum. */
const NUMBER_FAMILIES: readonly Family[] = ['smallint', 'integer', 'bigint', 'numeric', 'real', 'double'];

/** Whether arithmetic on the type is arithmetic on numbers. */
export function isNumber(type: ValueType): boolean {
  return NUMBER_FAMILIES.includes(type.family);
}

/** Whether the type holds whole numbers only. */
export function isWhole(type: ValueType): boolean {
  return type.family === 'smallint' || type.family === 'integer' || type.family === 'bigint';
}

/** The wider of two number types. */
export function wider(one: ValueType, other: ValueType): ValueType {
  return NUMBER_FAMILIES.indexOf(other.family) > NUMBER_FAMILIES.indexOf(one.family) ? other : one;
}
