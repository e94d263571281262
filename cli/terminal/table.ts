import { visible } from './visible.ts';

/** Columns as wide as their longest cell, under a line; a cell of digits stands to the right. */
export function table(header: readonly string[], cells: readonly (readonly string[])[]): string[] {
  const rows = cells.map((row) => row.map(visible));
  const widths = header.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const isCount = header.map((_title, index) => rows.every((row) => /^[\d,.]*$/.test(row[index] ?? '')));
  const line = (parts: readonly string[]): string =>
    parts
      .map((part, index) =>
        isCount[index] === true ? part.padStart(widths[index] ?? 0) : part.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(header), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)];
}
