/** A number that is known, or bounds for it, both included. */
export type Amount = number | bigint | { readonly min?: number | bigint; readonly max?: number | bigint };

/** How many rows there must be. */
export interface RowsExpected {
  readonly rows: Amount;
}

/** What a check may ask of a query's answer; exactly one of the three. */
export type Expectation =
  | RowsExpected
  /** The query gives one row of one column, and this is in it. Text must agree letter by letter, numbers by their value. */
  | { readonly value: Amount | string | boolean | null }
  /** Decides over the rows as they came back; only their number is told. */
  | { readonly holds: (rows: readonly Readonly<Record<string, unknown>>[]) => boolean };

/** Whether a count is one that was asked for. */
export function isWithin(amount: Amount, found: number | bigint | string): boolean {
  if (typeof amount !== 'object') return compare(found, amount) === 0;
  const { min, max } = amount;
  return (min === undefined || compare(found, min) >= 0) && (max === undefined || compare(found, max) <= 0);
}

/** `0 rows`, `at least 1 row`, `from 3 to 5 rows`. */
export function rowsInWords(amount: Amount): string {
  const last = typeof amount === 'object' ? (amount.max ?? amount.min) : amount;
  return `${amountInWords(amount)} ${Number(last) === 1 ? 'row' : 'rows'}`;
}

export function amountInWords(amount: Amount): string {
  if (typeof amount !== 'object') return String(amount);
  const { min, max } = amount;
  if (min === undefined) return `at most ${max}`;
  return max === undefined ? `at least ${min}` : `from ${min} to ${max}`;
}

/** What is wrong with an amount; modules are bundled without type checks. */
export function amountFlaw(amount: unknown): string | undefined {
  if (isNumber(amount)) return undefined;
  if (typeof amount !== 'object' || amount === null) return 'a number, or { min, max }';
  const bounds = Object.entries(amount);
  const known = bounds.every(([key, bound]) => (key === 'min' || key === 'max') && isNumber(bound));
  return known && bounds.length > 0 ? undefined : '{ min, max } with at least one of the two, both numbers';
}

/** A number as text, the way `numeric` comes back. */
export function isNumeric(text: string): boolean {
  return /^-?\d+(?:\.\d+)?$/.test(text);
}

const isNumber = (value: unknown): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && !Number.isNaN(value));

/** Negative, zero or positive; whole numbers are compared exactly, however large. */
function compare(one: number | bigint | string, other: number | bigint): number {
  const wholes = [wholeOf(one), wholeOf(other)];
  const [left, right] = wholes;
  if (left === undefined || right === undefined) return Number(one) - Number(other);
  return left < right ? -1 : Number(left > right);
}

function wholeOf(value: number | bigint | string): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  const [, whole] = /^(-?\d+)(?:\.0+)?$/.exec(value) ?? [];
  return whole === undefined ? undefined : BigInt(whole);
}
