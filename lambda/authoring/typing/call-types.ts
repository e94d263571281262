import { BIGINT, BOOLEAN, INTEGER, NUMERIC, TEXT, TEXT_ARRAY, type ValueType } from '../value-type.ts';

/** Functions that give back one of their arguments. */
const PASS_THROUGH: ReadonlySet<string> = new Set(['coalesce', 'nullif', 'greatest', 'least', 'min', 'max']);

/** Whether a function's arguments and its result have one type. */
export function passesThrough(func: string): boolean {
  return PASS_THROUGH.has(func.toLowerCase());
}

/** The result type of a function by the type of its first typed argument; undefined where that tells nothing. */
export function callType(func: string, argument: ValueType | undefined): ValueType | undefined {
  switch (func.toLowerCase()) {
    case 'count':
      return BIGINT;
    case 'any':
    case 'all':
    case 'unnest':
      return argument?.element;
    case 'sum':
      return argument === undefined ? undefined : sumType(argument);
    case 'avg':
      return argument?.family === 'numeric' ? NUMERIC : undefined;
    default:
      return passesThrough(func) ? argument : undefined;
  }
}

/** What `sum` gives back (PostgreSQL manual, "Aggregate Functions"). */
function sumType(type: ValueType): ValueType {
  if (type.family === 'bigint') return NUMERIC;
  return type.family === 'integer' || type.family === 'smallint' ? BIGINT : type;
}

const CAST_TYPES: ReadonlyMap<string, ValueType> = new Map([
  ['text', TEXT],
  ['integer', INTEGER],
  ['int4', INTEGER],
  ['bigint', BIGINT],
  ['int8', BIGINT],
  ['numeric', NUMERIC],
  ['boolean', BOOLEAN],
  ['uuid', { sql: 'uuid', family: 'uuid' }],
  ['jsonb', { sql: 'jsonb', family: 'jsonb' }],
  ['date', { sql: 'date', family: 'date' }],
  ['timestamp', { sql: 'timestamp', family: 'timestamp' }],
  ['timestamptz', { sql: 'timestamptz', family: 'timestamptz' }],
]);

/** The type that a cast of the author's names; only the plain names are understood. */
export function castType(name: string): ValueType | undefined {
  return CAST_TYPES.get(name);
}

type Argument = ValueType | 'first' | 'element' | undefined;

const JSONB: ValueType = { sql: 'jsonb', family: 'jsonb' };
const EDIT_JSON: readonly Argument[] = [JSONB, TEXT_ARRAY, JSONB, BOOLEAN];
const TEXT_AND_LENGTH: readonly Argument[] = [TEXT, INTEGER, TEXT];
const ARRAY_AND_ELEMENT: readonly Argument[] = [undefined, 'element', 'element'];

/**
 * What the arguments of common functions are, by position: a bound whole number is a `bigint` and a bound text is `text`,
 * for which PostgreSQL has none of these functions.
 */
const ARGUMENTS: ReadonlyMap<string, readonly Argument[]> = new Map<string, readonly Argument[]>([
  ['jsonb_set', EDIT_JSON],
  ['jsonb_set_lax', EDIT_JSON],
  ['jsonb_insert', EDIT_JSON],
  ['jsonb_extract_path', [undefined, TEXT, TEXT, TEXT, TEXT]],
  ['jsonb_extract_path_text', [undefined, TEXT, TEXT, TEXT, TEXT]],
  ['lpad', TEXT_AND_LENGTH],
  ['rpad', TEXT_AND_LENGTH],
  ['left', TEXT_AND_LENGTH],
  ['right', TEXT_AND_LENGTH],
  ['repeat', TEXT_AND_LENGTH],
  ['substr', [TEXT, INTEGER, INTEGER]],
  ['substring', [TEXT, INTEGER, INTEGER]],
  ['split_part', [TEXT, TEXT, INTEGER]],
  ['overlay', [TEXT, TEXT, INTEGER, INTEGER]],
  ['round', [undefined, INTEGER]],
  ['trunc', [undefined, INTEGER]],
  ['array_append', ARRAY_AND_ELEMENT],
  ['array_remove', ARRAY_AND_ELEMENT],
  ['array_replace', ARRAY_AND_ELEMENT],
  ['array_position', [undefined, 'element', INTEGER]],
  ['array_positions', ARRAY_AND_ELEMENT],
  ['array_to_string', [undefined, TEXT, TEXT]],
  ['string_to_array', [TEXT, TEXT, TEXT]],
  ['lag', ['first', INTEGER, 'first']],
  ['lead', ['first', INTEGER, 'first']],
  ['nth_value', ['first', INTEGER]],
  ['ntile', [INTEGER]],
  ['make_date', [INTEGER, INTEGER, INTEGER]],
  ['generate_series', ['first', 'first']],
]);

/** The type of a function's n-th argument; `first` is the type of the first argument whose type is known. */
export function argumentType(func: string, at: number, first: ValueType | undefined): ValueType | undefined {
  const argument = ARGUMENTS.get(func.toLowerCase())?.[at];
  if (argument === 'first') return first;
  return argument === 'element' ? first?.element : argument;
}
