import { columnList } from './bulk-keys.ts';
import { quoted } from './bulk-packet.ts';
import { quoteIdentifier } from './quote-name.ts';
import type { Table } from './table.ts';

/** What a bulk insert does with a row whose key is there already. */
export type OnConflict<Column extends string = string> =
  | 'nothing'
  | {
      /** The columns of a unique index or primary key. Every row must name them, and no two rows may have the same key. */
      readonly key: Column | readonly Column[];
      /**
       * Columns that get the row's values; those a row does not name stay as they are, and `[]` passes over rows that are
       * there. @default all columns of the row but the key
       */
      readonly update?: readonly Column[];
    };

/** The key of an `onConflict`, checked; undefined where it names none. */
export function keyOf(table: Table, onConflict: OnConflict | undefined): readonly string[] | undefined {
  if (typeof onConflict !== 'object') return undefined;
  columnList(table, onConflict.update ?? [], 'update', true);
  return columnList(table, onConflict.key, 'key', false);
}

/** The clause for rows with these columns. */
export function conflictSql(
  onConflict: OnConflict | undefined,
  columns: readonly string[],
): readonly string[] {
  if (onConflict === undefined) return [];
  if (onConflict === 'nothing') return ['on conflict do nothing'];
  const key = typeof onConflict.key === 'string' ? [onConflict.key] : onConflict.key;
  const others = columns.filter((column) => !key.includes(column));
  const updated =
    onConflict.update === undefined
      ? others
      : columns.filter((column) => onConflict.update?.includes(column));
  if (onConflict.update?.length === 0) return [`on conflict (${quoted(key)}) do nothing`];
  // With nothing to change, the key is set to itself: the row still counts as one that was there.
  const sets = (updated.length === 0 ? key : updated).map(
    (column) => `${quoteIdentifier(column)} = excluded.${quoteIdentifier(column)}`,
  );
  return [`on conflict (${quoted(key)}) do update set ${sets.join(', ')}`];
}
