import { ForerunError } from '../engine/errors.ts';
import { rowRefused, type EncodedRow, type RowName } from './bulk-row.ts';
import type { Table } from './table.ts';

/** Columns that an option of a bulk operation names, each declared and none twice. */
export function columnList(
  table: Table,
  given: string | readonly string[],
  option: string,
  mayBeEmpty: boolean,
): readonly string[] {
  const columns = typeof given === 'string' ? [given] : given;
  const isList = Array.isArray(columns) && (mayBeEmpty || columns.length > 0);
  if (!isList || new Set(columns).size !== columns.length) {
    throw refused(`"${option}" for ${table.name} must be a column or a list of different columns.`);
  }
  const unknown = columns.find((column) => !table.types.has(column));
  if (unknown !== undefined) {
    throw refused(`"${option}" for ${table.name} names a column "${unknown}" that table() does not declare.`);
  }
  return columns;
}

/**
 * Refuses a row whose key is null or stood in an earlier row: which of the two would win depends on how the rows are
 * packed. The keys of all rows are remembered for it, and nothing else of them.
 */
export function seenKeys(table: Table, key: readonly string[]): (row: EncodedRow, name: RowName) => void {
  const seen = new Set<string>();
  return (row, name) => {
    const cells = key.map((column) => row.cells[row.columns.indexOf(column)] ?? null);
    const empty = key.find((_, at) => cells[at] === null);
    if (empty !== undefined)
      throw rowRefused(table, name, `has null in "${empty}", which is part of the key.`);
    const text = cells.length === 1 ? String(cells[0]) : JSON.stringify(cells);
    if (seen.has(text))
      throw rowRefused(table, name, `has the same key (${key.join(', ')}) as a row before it.`);
    seen.add(text);
  };
}

function refused(what: string): ForerunError {
  return new ForerunError('rows-refused', {
    what,
    state: 'Nothing was sent for it.',
    next: 'Name columns that the table() of the migration declares.',
  });
}
