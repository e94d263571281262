/** What may be shown of an error that the database sent. */
export interface DatabaseErrorText {
  readonly message: string;
  readonly sqlState?: string;
}

/** Parameters shorter than this are left alone: replacing every "1" would make a message unreadable and hide nothing. */
const SHORTEST_HIDDEN = 3;

/**
 * Reads `ERROR: … [Detail: …] [Hint: …] [Position: …]; SQLState: XXXXX`, the service's form. The detail is left out, because
 * PostgreSQL writes row values there (`Key (email)=(…)`, `Failing row contains (…)`); values quoted in data exceptions
 * (class 22) and bound values anywhere are replaced.
 */
export function readDatabaseError(text: string, bound: readonly string[]): DatabaseErrorText {
  const sqlState = /SQLState: ?([0-9A-Z]{5})/.exec(text)?.[1];
  const [head = ''] = text.split(/;? *SQLState: ?[0-9A-Z]{5}/);
  const parts = head.split(/\s*\n\s*(?=(?:Detail|Hint|Position|Where):)|[;,] (?=(?:Detail|Hint|Position):)/);
  const main = (parts[0] ?? '').replace(/^ERROR: /, '').trim();
  const hint = parts.find((part) => part.startsWith('Hint:'));
  const shown = hint === undefined ? main : `${main} (${hint.trim()})`;
  const message = hideBound(sqlState?.startsWith('22') === true ? hideQuoted(shown) : shown, bound);
  return sqlState === undefined ? { message } : { message, sqlState };
}

const hideQuoted = (message: string): string =>
  message.replaceAll(/(: |value |input )"(?:[^"]|"")*"/g, '$1[value]');

function hideBound(message: string, bound: readonly string[]): string {
  return bound
    .filter((value) => value.length >= SHORTEST_HIDDEN)
    .toSorted((a, b) => b.length - a.length)
    .reduce((hidden, value) => hidden.replaceAll(value, '[value]'), message);
}
