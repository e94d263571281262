/** A piece of SQL as PostgreSQL's scanner cuts it; comments and blanks are passed over. */
export interface Lexeme {
  readonly kind: 'word' | 'quoted-name' | 'literal' | 'placeholder' | 'end' | 'other';
  /** As written; of a placeholder only the name. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

// One alternative a lexeme, in the order in which PostgreSQL's scanner decides (manual, "Lexical Structure").
const LEXEME = new RegExp(
  [
    /(?<blank>\s+|--[^\n\r]*)/,
    /(?<comment>\/\*)/,
    /(?<literal>[eE]'(?:[^'\\]|\\[^]|'')*'?|'(?:[^']|'')*'?)/,
    /(?<quoted>"(?:[^"]|"")*"?)/,
    /(?<dollar>\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)/,
    /(?<word>[a-z_\u0080-\uffff][\w$\u0080-\uffff]*)/,
    /::|:(?<placeholder>[a-z_]\w*)/,
    /(?<end>;)/,
    /[^]/,
  ]
    .map((part) => part.source)
    .join('|'),
  'iy',
);

/** Cuts SQL into its lexemes, past nested comments and dollar quotes. */
export function* lexemesOf(sql: string): Generator<Lexeme> {
  const lexeme = new RegExp(LEXEME);
  for (let match = lexeme.exec(sql); match !== null; match = lexeme.exec(sql)) {
    const { blank, comment, dollar, ...named } = match.groups ?? {};
    if (blank !== undefined) continue;
    if (comment !== undefined) {
      lexeme.lastIndex = endOfComment(sql, match.index);
      continue;
    }
    if (dollar !== undefined) lexeme.lastIndex = endOfDollarQuote(sql, lexeme.lastIndex, dollar);
    const end = lexeme.lastIndex;
    yield {
      kind: dollar === undefined ? kindOf(named) : 'literal',
      text: named['placeholder'] ?? sql.slice(match.index, end),
      start: match.index,
      end,
    };
  }
}

function kindOf(named: Readonly<Record<string, string | undefined>>): Lexeme['kind'] {
  if (named['word'] !== undefined) return 'word';
  if (named['quoted'] !== undefined) return 'quoted-name';
  if (named['literal'] !== undefined) return 'literal';
  if (named['placeholder'] !== undefined) return 'placeholder';
  return named['end'] === undefined ? 'other' : 'end';
}

/** PostgreSQL nests comments, which a regular expression cannot count. */
function endOfComment(sql: string, start: number): number {
  const edge = /\/\*|\*\//g;
  edge.lastIndex = start;
  let depth = 0;
  for (let match = edge.exec(sql); match !== null; match = edge.exec(sql)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return edge.lastIndex;
  }
  return sql.length;
}

function endOfDollarQuote(sql: string, from: number, quote: string): number {
  const at = sql.indexOf(quote, from);
  return at === -1 ? sql.length : at + quote.length;
}
