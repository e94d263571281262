import { quoteIdentifier, quoteName } from '../quote-name.ts';

/** Column names, quoted, with commas between them. */
export function listed(columns: readonly string[]): string {
  return columns.map((column) => quoteIdentifier(column)).join(', ');
}

/** What stands in the schema of a table, such as its indexes; quoted. */
export function besideTable(table: string, name: string): string {
  const at = table.lastIndexOf('.');
  const own = quoteIdentifier(name);
  return at === -1 ? own : `${quoteName(table.slice(0, at))}.${own}`;
}

/** The last part of a table's name. */
export function bareName(table: string): string {
  return table.slice(table.lastIndexOf('.') + 1);
}
