import { columnOrigins, columnTypes } from './catalogue.ts';
import { columnMetadata } from './column-metadata.ts';
import { type Field, fieldReader, type ReturnTypes } from './fields.ts';
import { formattedRecords } from './formatted-records.ts';
import { refuseOversize } from './result-size.ts';
import type { Session } from './session.ts';
import type { ColumnType } from './type-names.ts';
import type { WireColumn, WireResult } from './wire.ts';

/** How a caller wants the result. */
export interface ResultWish {
  readonly metadata: boolean;
  readonly format: 'NONE' | 'JSON';
  readonly returnTypes: ReturnTypes;
}

/** Refuses columns the service cannot return. Depends on the types alone, so it can be asked before or after. */
export function refuseUnsupported(types: readonly ColumnType[], wish: ResultWish): void {
  for (const type of types) fieldReader(type, wish.returnTypes);
}

/** The body of the answer to a statement. */
export async function resultBody(
  session: Session,
  columns: readonly WireColumn[],
  { rows, tag }: WireResult,
  wish: ResultWish,
): Promise<Readonly<Record<string, unknown>>> {
  if (columns.length === 0) return { generatedFields: [], numberOfRecordsUpdated: affected(tag) };
  const types = await columnTypes(session, columns);
  refuseOversize(rows);
  const readers = types.map((type) => fieldReader(type, wish.returnTypes));
  const records: readonly (readonly Field[])[] = rows.map((row) =>
    readers.map((read, index) => read(row[index] ?? null)),
  );
  if (wish.format === 'JSON') {
    const labels = columns.map(({ name }) => name);
    return { formattedRecords: formattedRecords(labels, types, records), numberOfRecordsUpdated: 0 };
  }
  if (!wish.metadata) return { numberOfRecordsUpdated: 0, records };
  const origins = await columnOrigins(session, columns);
  const metadata = columns.map((column, index) => {
    const type = types[index];
    return type === undefined ? {} : columnMetadata(column, type, origins[index]);
  });
  return { columnMetadata: metadata, numberOfRecordsUpdated: 0, records };
}

/** The number at the end of the closing word; a command such as `CREATE TABLE` has none. */
function affected(tag: string): number {
  return Number(/ (\d+)$/u.exec(tag)?.[1] ?? 0);
}
