import { rawJson } from './exact-json.ts';
import type { Field } from './fields.ts';
import { ServiceError } from './service-error.ts';
import type { ColumnType } from './type-names.ts';

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api-json.html */
const MOST_BYTES = 10 * 1024 * 1024;

/** Rows as one JSON text of objects keyed by label. */
export function formattedRecords(
  labels: readonly string[],
  types: readonly ColumnType[],
  records: readonly (readonly Field[])[],
): string {
  const twice = labels.find((label, index) => labels.indexOf(label) !== index);
  if (twice !== undefined) {
    throw new ServiceError(
      'BadRequestException',
      `The result has more than one column with the label ${twice}`,
    );
  }
  const rows = records.map((record) =>
    Object.fromEntries(labels.map((label, index) => [label, plain(record[index] ?? {}, types[index])])),
  );
  const text = JSON.stringify(rows);
  if (Buffer.byteLength(text) > MOST_BYTES) {
    throw new ServiceError('BadRequestException', 'The formatted result is larger than 10 MB');
  }
  return text;
}

function plain(field: Field, type: ColumnType | undefined): unknown {
  const [[member, content] = ['isNull', true]] = Object.entries(field);
  if (member === 'isNull') return null;
  if (member === 'arrayValue' && typeof content === 'object' && content !== null)
    return Object.values(content)[0];
  return type?.name === 'numeric' && typeof content === 'string' && /^-?\d/u.test(content)
    ? rawJson(content)
    : content;
}
