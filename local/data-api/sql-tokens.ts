/** The parts of a statement that decide where placeholders and separators stand. */
export interface SqlToken {
  readonly kind: 'word' | 'placeholder' | 'separator' | 'open' | 'close' | 'blank' | 'opaque' | 'other';
  readonly text: string;
}

/**
 * What may stand at one place, tried in order.
 * https://www.postgresql.org/docs/17/sql-syntax-lexical.html
 */
const PATTERNS: readonly (readonly [SqlToken['kind'], RegExp])[] = [
  ['blank', /\s+/uy],
  ['blank', /--[^\n\r]*/uy],
  // E'' knows backslash escapes, every other kind of literal does not (standard_conforming_strings).
  ['opaque', /[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)/uy],
  ['opaque', /(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|$)/uy],
  ['opaque', /(?:[uU]&)?"(?:[^"]|"")*(?:"|$)/uy],
  ['opaque', /`[^`]*(?:`|$)/uy],
  ['opaque', /\$([\p{L}_][\p{L}\p{N}_]*)?\$[\s\S]*?(?:\$\1\$|$)/uy],
  ['opaque', /\$\d+/uy],
  ['word', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  ['opaque', /\d[\p{L}\p{N}_.]*/uy],
  ['other', /::/uy],
  ['placeholder', /:[\p{L}\p{N}_]+/uy],
  ['separator', /;/uy],
  ['open', /\(/uy],
  ['close', /\)/uy],
];

/** Cuts a statement into tokens; joined again they give the statement. */
export function* sqlTokens(sql: string): Generator<SqlToken> {
  let at = 0;
  while (at < sql.length) {
    const token = commentAt(sql, at) ?? tokenAt(sql, at);
    yield token;
    at += token.text.length;
  }
}

function tokenAt(sql: string, at: number): SqlToken {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0];
    if (text !== undefined) return { kind, text };
  }
  return { kind: 'other', text: String.fromCodePoint(sql.codePointAt(at) ?? 0) };
}

/** Block comments nest, which no regular expression follows. */
function commentAt(sql: string, start: number): SqlToken | undefined {
  if (!sql.startsWith('/*', start)) return undefined;
  let depth = 0;
  let at = start;
  do {
    if (sql.startsWith('/*', at)) {
      depth += 1;
      at += 2;
    } else if (sql.startsWith('*/', at)) {
      depth -= 1;
      at += 2;
    } else at += 1;
  } while (depth > 0 && at < sql.length);
  return { kind: 'blank', text: sql.slice(start, at) };
}
