import type * as PgQuery from 'libpg-query';

/** A statement by its bytes in the text, without the semicolon, with what stands before it. */
export interface ParsedStatement {
  readonly start: number;
  readonly end: number;
}

/** What PostgreSQL's parser says against a text. */
export interface SyntaxFlaw {
  readonly message: string;
  /** Number of code points before the place. */
  readonly codePoints: number;
}

let loading: Promise<typeof PgQuery> | undefined;

/** PostgreSQL's own parser is a WebAssembly module of two megabytes: only a history with SQL files loads it. */
async function parser(): Promise<typeof PgQuery> {
  loading ??= import('libpg-query').then(async (module) => {
    await module.loadModule();
    return module;
  });
  return loading;
}

/** Cuts a text into statements as PostgreSQL does. */
export async function parseSql(text: string): Promise<readonly ParsedStatement[] | SyntaxFlaw> {
  // The module takes an empty text for a mistake of its caller.
  if (text.trim() === '') return [];
  const { parseSync, hasSqlDetails } = await parser();
  try {
    const { stmts = [] } = parseSync(text);
    return stmts.map(({ stmt_location: start = 0, stmt_len: length }) => ({
      start,
      end: length === undefined || length === 0 ? Number.MAX_SAFE_INTEGER : start + length,
    }));
  } catch (error) {
    if (!hasSqlDetails(error)) throw error;
    return { message: error.message, codePoints: error.sqlDetails?.cursorPosition ?? 0 };
  }
}

/**
 * The tokens of each statement without what PostgreSQL passes over: comments, layout and the case of bare words.
 * Tokens and not the syntax tree, whose shape changes with every release of PostgreSQL.
 */
export async function tokensOf(statements: readonly string[]): Promise<readonly (readonly string[])[]> {
  if (statements.length === 0) return [];
  const { scanSync } = await parser();
  return statements.map((sql) =>
    scanSync(sql)
      .tokens.filter(({ tokenName }) => !tokenName.endsWith('_COMMENT'))
      .map(({ text }) => (BARE_WORD.test(text) ? folded(text) : text)),
  );
}

const BARE_WORD = /^[a-z_\u0080-\uffff][\w$\u0080-\uffff]*$/i;

/** PostgreSQL folds the letters of ASCII and no others. */
const folded = (word: string): string => word.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
