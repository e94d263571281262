import { ServiceError } from './service-error.ts';
import { type SqlToken, sqlTokens } from './sql-tokens.ts';

/** A statement as the database gets it. */
export interface PlacedSql {
  /** Each `:name` replaced by `$n`. */
  readonly text: string;
  /** The name at each `$n`, the first for `$1`. A name that stands twice is here twice: each occurrence is bound on its own. */
  readonly names: readonly string[];
}

/**
 * Replaces named placeholders by numbered ones and refuses more than one statement.
 * A separator inside parentheses (`create rule`) or inside `begin atomic ... end` does not end a statement.
 */
export function placeholders(sql: string): PlacedSql {
  const names: string[] = [];
  const nested = followNesting();
  let text = '';
  let ended = false;
  for (const token of sqlTokens(sql)) {
    const inside = nested(token);
    if (token.kind === 'separator' && !inside) ended = true;
    else if (ended && token.kind !== 'blank' && token.kind !== 'separator') {
      throw new ServiceError('ValidationException', "Multistatements aren't supported.");
    }
    if (token.kind === 'placeholder') {
      names.push(token.text.slice(1));
      text += `$${names.length}`;
    } else text += token.text;
  }
  return { text, names };
}

/** Tells of each token whether it stands inside parentheses or inside the body of a SQL function. */
function followNesting(): (token: SqlToken) => boolean {
  let parentheses = 0;
  let blocks = 0;
  let previous = '';
  return ({ kind, text }) => {
    if (kind === 'open') parentheses += 1;
    if (kind === 'close') parentheses -= 1;
    if (kind === 'word') {
      const word = text.toLowerCase();
      if ((word === 'atomic' && previous === 'begin') || (word === 'case' && blocks > 0)) blocks += 1;
      if (word === 'end' && blocks > 0) blocks -= 1;
      previous = word;
    } else if (kind !== 'blank') previous = '';
    return parentheses > 0 || blocks > 0;
  };
}
