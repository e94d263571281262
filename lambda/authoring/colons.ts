import { type Lexeme, lexemesOf } from '../engine/lexemes.ts';

/** What the colons of a statement mean. */
export interface Colons {
  /** The statement with a blank behind each colon that only looks like a placeholder's. */
  readonly sql: string;
  /** Names of the placeholders. */
  readonly placeholders: ReadonlySet<string>;
}

/** What the service may take for the name of a placeholder: digits alone are one, too. */
const NAME_AHEAD = /^[\p{L}\p{N}_]/u;

/** What a colon stands behind when it separates: `b[1:n]`, `json_object('key':value)`. */
const ENDS_OPERAND = /[\p{L}\p{N}_$'")\]]$/u;

/**
 * Tells placeholders from the other colons of PostgreSQL: array slices and the pairs of `json_object`. A blank behind
 * such a colon changes nothing for PostgreSQL, and keeps the service from reading a placeholder. A name that has a value
 * is always a placeholder. Casts, and colons in literals, quoted names, dollar quotes and comments, mean nothing here.
 */
export function readColons(sql: string, names: ReadonlySet<string> = new Set()): Colons {
  const placeholders = new Set<string>();
  if (!sql.includes(':')) return { sql, placeholders };
  let spared = '';
  let from = 0;
  let brackets = 0;
  let before: Lexeme | undefined;
  for (const lexeme of lexemesOf(sql)) {
    if (lexeme.text === '[') brackets += 1;
    if (lexeme.text === ']') brackets -= 1;
    if (
      lexeme.kind === 'placeholder' &&
      (names.has(lexeme.text) || !(brackets > 0 || separates(before, lexeme)))
    ) {
      placeholders.add(lexeme.text);
    } else if (lexeme.kind === 'placeholder' || isBareColon(lexeme, sql)) {
      spared += `${sql.slice(from, lexeme.start)}: `;
      from = lexeme.start + 1;
    }
    before = lexeme;
  }
  return { sql: spared + sql.slice(from), placeholders };
}

function isBareColon({ kind, text, end }: Lexeme, sql: string): boolean {
  return kind === 'other' && text === ':' && NAME_AHEAD.test(sql.slice(end, end + 2));
}

function separates(before: Lexeme | undefined, { start }: Lexeme): boolean {
  return before !== undefined && before.end === start && ENDS_OPERAND.test(before.text);
}
