import type { CatalogColumn, CatalogType } from './read-tables.ts';

/** How `table()` says a column: a builder with its arguments, and the modifiers behind it in order. */
export interface Spelling {
  readonly builder: Builder;
  /** TypeScript type argument of `column`. */
  readonly typeArgument?: 'number' | 'bigint' | 'boolean';
  readonly args: readonly (string | number | readonly string[])[];
  readonly modifiers: readonly Modifier[];
}

export type Builder = (typeof BUILT_IN)[keyof typeof BUILT_IN] | 'citext' | 'enumType' | 'column';
export type Modifier = 'array' | 'nullable' | 'defaulted' | 'generated';

/** Types that have a builder of their own, by their name in `pg_type`. */
const BUILT_IN = {
  text: 'text',
  varchar: 'varchar',
  bpchar: 'char',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  numeric: 'numeric',
  float4: 'real',
  float8: 'double',
  bool: 'boolean',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
  interval: 'interval',
  inet: 'inet',
  bytea: 'bytea',
  json: 'json',
  jsonb: 'jsonb',
} as const;

/** Says a column of the catalog in the words of `table()`; what has no word of its own is `column('type')`. */
export function spellingOf(column: CatalogColumn): Spelling {
  const modifiers: Modifier[] = Array.from({ length: column.dimensions }, () => 'array');
  if (column.takesNull) modifiers.push('nullable');
  if (column.generated) modifiers.push('generated');
  else if (column.hasDefault && !column.takesNull) modifiers.push('defaulted');
  return { ...builderOf(column), modifiers };
}

function builderOf({ type, modifier }: CatalogColumn): Omit<Spelling, 'modifiers'> {
  if (type.sort === 'e' && type.labels !== null)
    return { builder: 'enumType', args: [type.plainName, type.labels] };
  if (type.name === 'citext') return { builder: 'citext', args: [] };
  if (type.builtIn && isBuiltIn(type.name))
    return { builder: BUILT_IN[type.name], args: measuresOf(type.name, modifier) };
  const typeArgument = scalarOf(type);
  return { builder: 'column', args: [type.sql], ...(typeArgument === undefined ? {} : { typeArgument }) };
}

function isBuiltIn(name: string): name is keyof typeof BUILT_IN {
  return Object.hasOwn(BUILT_IN, name);
}

/** PostgreSQL keeps lengths, and precision and scale together, in one number with 4 added. */
function measuresOf(name: string, modifier: number): readonly number[] {
  const packed = modifier - 4;
  if (packed < 0) return [];
  if (name === 'varchar' || name === 'bpchar') return [packed];
  if (name !== 'numeric') return [];
  // The scale has eleven bits and a sign.
  const scale = ((packed & 0x7ff) ^ 1024) - 1024;
  return [(packed >> 16) & 0xffff, scale];
}

/** What a domain or another type without a builder is in TypeScript; text unless it is known better. */
function scalarOf({ base }: CatalogType): Spelling['typeArgument'] {
  if (base === 'int8') return 'bigint';
  if (base === 'bool') return 'boolean';
  return base !== null && ['int2', 'int4', 'float4', 'float8'].includes(base) ? 'number' : undefined;
}
