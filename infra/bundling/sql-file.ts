import type { SqlScript } from '../../lambda/authoring/index.ts';
import { ForerunError } from '../../lambda/engine/errors.ts';
import { lexemesOf } from '../../lambda/engine/lexemes.ts';
import { readStatement, refuseTransactionControl } from '../../lambda/engine/statement-guard.ts';
import { parseSql, type ParsedStatement, type SyntaxFlaw } from './sql-parser.ts';
import { lineAt } from './source-place.ts';
import { fileRefused, readTextFile, refusedAt, type TextFile } from './text-file.ts';

type Statements = SqlScript['statements'];

/** The Data API's limit for one statement, less what is kept for the comments that tell where it comes from. */
const MAX_STATEMENT_CHARACTERS = 65_536 - 512;

/** Each statement is a call of its own, so a file of this size is no way to load rows; the parser would need gigabytes. */
const MAX_FILE_CHARACTERS = 4 * 1024 * 1024;

/** What a message of the parser may quote of the file. */
const QUOTED_CHARACTERS = 100;

/** What was read last of a file: one bundling needs it several times, and parsing is most of the work. */
const known = new Map<string, { readonly text: string; readonly statements: Statements }>();

/** Reads a `.sql` file, cut into statements by PostgreSQL's own parser. Refuses what could only fail in a run. */
export async function readSqlFile(path: string, directory: string): Promise<Statements> {
  const file = readTextFile(path, directory);
  const before = known.get(path);
  if (before?.text === file.text) return before.statements;
  if (file.text.length > MAX_FILE_CHARACTERS) throw tooLarge(file);
  const parsed = await parseSql(file.text);
  if ('message' in parsed) throw syntaxRefused(file, parsed);
  const statements = statementsOf(file, parsed);
  known.set(path, { text: file.text, statements });
  return statements;
}

function statementsOf(file: TextFile, parsed: readonly ParsedStatement[]): Statements {
  const bytes = Buffer.from(file.text);
  let from = 0;
  let line = 1;
  let counted = 0;
  return parsed.map(({ start, end }) => {
    const whole = bytes.subarray(start, end).toString();
    from = file.text.indexOf(whole, from);
    // What stands before a statement is no part of it, and would be all that a shortened message shows.
    const blank = blankBefore(whole);
    const index = from + blank;
    const sql = whole.slice(blank).trimEnd();
    from += whole.length;
    refuseStatement(file, index, sql);
    // Counted on from the statement before: a file may hold tens of thousands.
    line += lineAt(file.text.slice(counted, index), index) - 1;
    counted = index;
    return { line, sql };
  });
}

function blankBefore(sql: string): number {
  const blank = sql.search(/\S|$/);
  return /^(?:--|\/\*)/.test(sql.slice(blank, blank + 2)) ? (lexemesOf(sql).next().value?.start ?? 0) : blank;
}

function refuseStatement(file: TextFile, index: number, sql: string): void {
  if (sql.length > MAX_STATEMENT_CHARACTERS) {
    throw refusedAt(
      file,
      index,
      `this statement has ${sql.length.toLocaleString('en')} characters; the Data API takes ${MAX_STATEMENT_CHARACTERS.toLocaleString('en')}`,
      'Split it, or put its rows into a .csv file for op.bulkInsert:',
    );
  }
  try {
    refuseTransactionControl(sql);
  } catch (cause) {
    if (!(cause instanceof ForerunError)) throw cause;
    throw refusedAt(file, index, withoutStop(cause.text.what), `${withoutStop(cause.text.next)}:`);
  }
}

/** What psql understands and PostgreSQL does not gets a word of its own. */
function syntaxRefused(file: TextFile, { message, codePoints }: SyntaxFlaw): ForerunError {
  const index = indexOf(file.text, codePoints);
  refuseCopiedRows(file, index);
  const character = file.text[index];
  if (character === '\\') {
    return refusedAt(
      file,
      index,
      'a command of psql stands here, which PostgreSQL itself does not know',
      'Leave it out; rows come in with op.bulkInsert from a .csv file:',
    );
  }
  if (character === ':') {
    return refusedAt(
      file,
      index,
      `${shortened(message)}; a .sql file takes no values`,
      'Write the value here, or send this statement with op.execute and named values:',
    );
  }
  return refusedAt(file, index, shortened(message));
}

/** The rows behind `copy … from stdin` are what the parser stumbles over; the statement before them is to blame. */
function refuseCopiedRows(file: TextFile, end: number): void {
  let start: number | undefined;
  for (const lexeme of lexemesOf(file.text)) {
    if (lexeme.start >= end) return;
    start ??= lexeme.start;
    if (lexeme.kind !== 'end') continue;
    const sql = file.text.slice(start, lexeme.start);
    if (readStatement(sql).words[0] === 'copy') refuseStatement(file, start, sql);
    start = undefined;
  }
}

function tooLarge({ shown, text }: TextFile): ForerunError {
  return fileRefused(
    `${shown} has ${text.length.toLocaleString('en')} characters; a .sql file may have ${MAX_FILE_CHARACTERS.toLocaleString('en')}`,
    'Put its rows into a .csv file and send them with op.bulkInsert, which needs far fewer calls.',
  );
}

function shortened(message: string): string {
  const [line = ''] = message.split('\n');
  if (line === message && line.length <= QUOTED_CHARACTERS) return line;
  return `${line.slice(0, QUOTED_CHARACTERS)}…`;
}

/** The verdict goes into a sentence of its own. */
const withoutStop = (sentence: string): string => sentence.replace(/\.$/, '');

/** PostgreSQL counts characters, JavaScript counts halves of surrogate pairs. */
function indexOf(text: string, codePoints: number): number {
  let index = 0;
  for (let count = 0; count < codePoints && index < text.length; count += 1) {
    index += (text.codePointAt(index) ?? 0) > 0xff_ff ? 2 : 1;
  }
  return index;
}
