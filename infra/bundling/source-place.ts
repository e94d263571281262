/** A place in a text file as editors count: from 1, columns in UTF-16 units. */
export interface SourcePlace {
  readonly line: number;
  readonly column: number;
  readonly lineText: string;
}

/** So much of a line is shown on either side of the caret. */
const SHOWN_CHARACTERS = 70;

/** Where the character with this index stands. */
export function placeAt(text: string, index: number): SourcePlace {
  const start = text.lastIndexOf('\n', index - 1) + 1;
  const end = text.indexOf('\n', index);
  return {
    line: lineAt(text, index),
    column: index - start + 1,
    lineText: text.slice(start, end === -1 ? text.length : end),
  };
}

/** Number of the line that holds this index. */
export function lineAt(text: string, index: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < index; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** The line with a caret under the place; a long line is cut around it. */
export function frameOf({ line, column, lineText }: SourcePlace): string {
  const margin = `  ${line} | `;
  const from = Math.max(0, column - 1 - SHOWN_CHARACTERS);
  // A tab would move the caret by an unknown number of cells.
  const shown = lineText.slice(from, column - 1 + SHOWN_CHARACTERS).replaceAll('\t', ' ');
  return `\n${margin}${shown}\n${' '.repeat(margin.length + column - 1 - from)}^`;
}
