/** Operators whose two sides have one type, and whose result is a boolean. */
export const COMPARISONS: ReadonlySet<string> = new Set([
  '=',
  '!=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  'not in',
  'is',
  'is not',
  'is distinct from',
  'is not distinct from',
  'between',
  'between symmetric',
]);

/** Operators that take a list on their right side; everywhere else a JavaScript array is one value. */
export const LIST_OPERATORS: ReadonlySet<string> = new Set(['in', 'not in']);

/** Operators that contain or overlap: both sides are arrays, or both are jsonb. */
export const CONTAINMENT: ReadonlySet<string> = new Set(['@>', '<@', '&&']);

/** jsonb's "has any of" and "has all of": the right side is always text[]. */
export const KEY_LISTS: ReadonlySet<string> = new Set(['?|', '?&']);

/** Operators on numbers whose result has the wider type. */
export const ARITHMETIC: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '^', '&', '|', '#']);

/** Bit shifts: PostgreSQL has them for an `integer` right side only. */
export const SHIFTS: ReadonlySet<string> = new Set(['<<', '>>']);
