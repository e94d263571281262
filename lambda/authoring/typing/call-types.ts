import { BIGINT, BOOLEAN, INTEGER, NUMERIC, TEXT, type ValueType } from '../value-type.ts';

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
