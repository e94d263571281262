/**
 * Characters that a terminal obeys instead of showing them, or that turn the direction of what follows: controls but the tab,
 * delete, separators of lines, and marks of bidirectional text.
 */
const OBEYED = /[\p{Cc}\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/**
 * A line with a text from a database or a runner, in which nothing can move the cursor, end the line or paint what is not there.
 * The escapes are those of JSON, so that a line of JSON stays the same; and what comes out is left alone the next time.
 */
export const visible = (line: string): string =>
  line.replaceAll(OBEYED, (character) =>
    character === '\t'
      ? character
      : (SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`),
  );

const SHORT: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r` };

/** The same of several lines. */
export const visibleLines = (lines: string): string => lines.split('\n').map(visible).join('\n');
