import type { ColumnMetadata, Field, SqlParameter } from '@aws-sdk/client-rds-data';
import { DatabaseFailure } from '../engine/database-failure.ts';
import type { BoundValue, ColumnValue, Row, Statement } from '../engine/ports.ts';

/** The statement's values as the Data API takes them; undefined where there are none, so that no colon is misread. */
export function parametersOf({ parameters }: Statement): SqlParameter[] | undefined {
  const entries = Object.entries(parameters ?? {});
  return entries.length === 0 ? undefined : entries.map(([name, value]) => ({ name, value: fieldOf(value) }));
}

/** What messages about a statement must not show. */
export function boundTexts({ parameters, hidden = [] }: Statement): string[] {
  const bound = Object.values(parameters ?? {}).flatMap((value) =>
    typeof value === 'string'
      ? [value]
      : typeof value === 'number' || typeof value === 'bigint'
        ? [String(value)]
        : [],
  );
  return [...bound, ...hidden];
}

function fieldOf(value: BoundValue): Field {
  if (value === null) return { isNull: true };
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { booleanValue: value };
  // The SDK types it as number but writes a bigint digit by digit, which a number cannot carry beyond 2^53.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  if (typeof value === 'bigint') return { longValue: value as unknown as number };
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { longValue: value } : { doubleValue: value };
  return { blobValue: value };
}

/** The rows under their column labels, each value by the type that the service names. */
export function rowsOf(records: readonly Field[][], metadata: readonly ColumnMetadata[]): Row[] {
  return records.map((record) =>
    Object.fromEntries(
      record.map((field, column) => {
        const { label, name, typeName } = metadata[column] ?? {};
        return [label ?? name ?? String(column), columnValue(field, typeName ?? 'text')];
      }),
    ),
  );
}

function columnValue(field: Field, typeName: string): ColumnValue {
  if (field.isNull === true) return null;
  if (field.arrayValue !== undefined) return arrayOf(field.arrayValue, typeName.replace(/^_/, ''));
  if (field.booleanValue !== undefined) return field.booleanValue;
  if (field.blobValue !== undefined) return field.blobValue;
  if (field.longValue !== undefined) return wholeNumber(field.longValue, typeName);
  // "NaN" and "Infinity" come as text.
  if (field.doubleValue !== undefined) return numberOf(field.doubleValue);
  if (field.stringValue !== undefined) return textValue(field.stringValue, typeName);
  return null;
}

const numberOf = (value: number | string): number => Number(value);

type ArrayField = NonNullable<Field['arrayValue']>;

function arrayOf(array: ArrayField, elementType: string): ColumnValue {
  if (array.stringValues !== undefined)
    return each(array.stringValues, (value) => textValue(value, elementType));
  if (array.longValues !== undefined)
    return each(array.longValues, (value) => wholeNumber(value, elementType));
  if (array.doubleValues !== undefined) return each(array.doubleValues, numberOf);
  if (array.booleanValues !== undefined) return each(array.booleanValues, (value) => value);
  return each(array.arrayValues ?? [], (value) => arrayOf(value, elementType));
}

const each = <T>(values: readonly T[], convert: (value: NonNullable<T>) => ColumnValue): ColumnValue[] =>
  values.map((value) => (value === null || value === undefined ? null : convert(value)));

/** The service sends whole numbers as JSON numbers unless asked for text; beyond 2^53 those have lost digits already. */
function wholeNumber(value: number, typeName: string): ColumnValue {
  if (!Number.isSafeInteger(value)) {
    throw new DatabaseFailure({
      ran: 'failed',
      kind: 'unsupported-result',
      message: `a whole number of type ${typeName} is too large to be read exactly: cast it to text in the select list`,
    });
  }
  return typeName === 'int8' ? BigInt(value) : value;
}

function textValue(value: string, typeName: string): ColumnValue {
  switch (typeName) {
    case 'int2':
    case 'int4':
    case 'oid':
      return Number(value);
    case 'int8':
      return BigInt(value);
    case 'json':
    case 'jsonb':
      // Whatever JSON holds is a column's value.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return JSON.parse(value) as ColumnValue;
    case 'timestamptz':
      // The service answers in UTC and leaves the offset out (Aurora User Guide, Data API differences).
      return /^\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?$/.test(value)
        ? `${value.replace(' ', 'T')}Z`
        : value;
    default:
      return value;
  }
}
