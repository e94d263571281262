import type { ColumnOrigin } from './catalogue.ts';
import type { ColumnType } from './type-names.ts';
import type { WireColumn } from './wire.ts';

/** Codes of java.sql.Types; what the real service sends for PostgreSQL is not documented. */
const CODES: Readonly<Record<string, number>> = {
  bool: -7,
  int2: 5,
  int4: 4,
  int8: -5,
  oid: -5,
  float4: 7,
  float8: 8,
  numeric: 2,
  bpchar: 1,
  text: 12,
  varchar: 12,
  name: 12,
  date: 91,
  time: 92,
  timestamp: 93,
  timestamptz: 93,
  bytea: -2,
};
const OTHER = 1111;
const ARRAY = 2003;

/** Decimal digits of the types that have a fixed number of them. */
const PRECISION: Readonly<Record<string, number>> = {
  int2: 5,
  int4: 10,
  int8: 19,
  oid: 10,
  float4: 8,
  float8: 17,
  bool: 1,
};
const UNBOUNDED = 2_147_483_647;

const SIGNED: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'float4', 'float8', 'numeric']);
const CASELESS: ReadonlySet<string> = new Set([
  ...SIGNED,
  'bool',
  'oid',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'bytea',
]);

/** One entry of `columnMetadata`. */
export function columnMetadata(
  column: WireColumn,
  type: ColumnType,
  origin: ColumnOrigin | undefined,
): Readonly<Record<string, unknown>> {
  const { precision, scale } = size(type, column.dataTypeModifier);
  return {
    arrayBaseColumnType: type.element === undefined ? 0 : (CODES[type.element] ?? OTHER),
    isAutoIncrement: origin?.autoIncrement ?? false,
    isCaseSensitive: !CASELESS.has(type.name),
    isCurrency: false,
    isSigned: SIGNED.has(type.name),
    label: column.name,
    name: origin?.column ?? column.name,
    // 0 never null, 1 may be null, 2 not known.
    nullable: origin === undefined ? 2 : Number(!origin.notNull),
    precision,
    scale,
    schemaName: origin?.schema ?? '',
    tableName: origin?.table ?? '',
    type: type.element === undefined ? (CODES[type.name] ?? OTHER) : ARRAY,
    typeName: type.name,
  };
}

/**
 * A type modifier holds four bytes of header; numeric's holds precision and scale in two halves.
 * https://www.postgresql.org/docs/17/catalog-pg-attribute.html (`atttypmod`)
 */
function size(
  { name }: ColumnType,
  modifier: number,
): { readonly precision: number; readonly scale: number } {
  if (name === 'numeric') {
    if (modifier < 4) return { precision: 0, scale: 0 };
    return { precision: ((modifier - 4) >> 16) & 0xff_ff, scale: (modifier - 4) & 0x7_ff };
  }
  if (name === 'varchar' || name === 'bpchar')
    return { precision: modifier < 4 ? UNBOUNDED : modifier - 4, scale: 0 };
  const scale = name === 'float4' || name === 'float8' ? (PRECISION[name] ?? 0) : 0;
  return { precision: PRECISION[name] ?? UNBOUNDED, scale };
}
