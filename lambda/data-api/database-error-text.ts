/** What may be shown of an error that the database sent. */
export interface DatabaseErrorText {
  readonly message: string;
  readonly sqlState?: string;
}

/** Parameters shorter than this are left alone: replacing every "1" would make a message unreadable and hide nothing. */
const SHORTEST_HIDDEN = 3;

/** Values are shown in errors of any length; a reader needs the beginning. */
const LONGEST_MESSAGE = 2_000;

/** Lines that PostgreSQL adds to its message; a detail and a context hold row values. */
const ADDITION = /^\s*(?:Detail|Hint|Position|Where|Context):/;

/**
 * Reads `ERROR: … [Detail: …] [Hint: …] [Position: …]; SQLState: XXXXX`, the service's form. The detail is left out, because
 * PostgreSQL writes row values there (`Key (email)=(…)`, `Failing row contains (…)`); so are the values that data exceptions
 * (class 22) quote, and bound values anywhere. A value may itself hold quotes, line breaks or the service's own words, so
 * the code is taken from the very end, and quotes are matched from the first to the last.
 */
export function readDatabaseError(text: string, bound: readonly string[]): DatabaseErrorText {
  const end = /;? *SQLState: ?([0-9A-Z]{5})\s*$/.exec(text.slice(-40));
  const sqlState = end?.[1];
  const whole = end === null ? text : text.slice(0, text.length - end[0].length);
  const message = shown(hideBound(sqlState?.startsWith('22') === true ? hideQuoted(whole) : whole, bound));
  return sqlState === undefined ? { message } : { message, sqlState };
}

/** The key that the detail of a broken constraint names. For comparing only: its values are rows' values. */
export function keyIn(text: string): { columns: readonly string[]; values: string } | undefined {
  const detail =
    /\bDetail: Key \(([^()]*)\)=\(([^]*)\) (?:already exists|is not present in table|conflicts with existing key)/;
  const [, columns, values] = detail.exec(text) ?? [];
  if (columns === undefined || values === undefined) return undefined;
  return { columns: columns.split(', ').map((name) => name.replace(/^"(.*)"$/, '$1')), values };
}

/** The first line of the message, and the hint. */
function shown(text: string): string {
  const lines = text.split('\n').flatMap((line) => line.split(/[;,] (?=(?:Detail|Hint|Position):)/));
  const additions = lines.findIndex((line) => ADDITION.test(line));
  const main = (additions === -1 ? lines : lines.slice(0, additions))
    .join(' ')
    .replace(/^ERROR: /, '')
    .trim();
  const hint = lines.find((line) => /^\s*Hint:/.test(line));
  return (hint === undefined ? main : `${main} (${hint.trim()})`).slice(0, LONGEST_MESSAGE);
}

/** PostgreSQL does not mark quotes inside a quoted value: everything from the first to the last one goes. */
const hideQuoted = (text: string): string => text.replace(/"[^]*"/, '[value]');

function hideBound(text: string, bound: readonly string[]): string {
  return bound
    .filter((value) => value.length >= SHORTEST_HIDDEN)
    .toSorted((a, b) => b.length - a.length)
    .reduce((hidden, value) => hidden.replaceAll(value, '[value]'), text);
}
