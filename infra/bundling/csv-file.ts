import { CsvError, parse } from 'csv-parse/sync';
import type { ForerunError } from '../../lambda/engine/errors.ts';
import { lineAt } from './source-place.ts';
import { fileRefused, readTextFile, type TextFile } from './text-file.ts';

type Cells = readonly (string | null)[];

/** The rows of a file as lists, so that the names of the columns stand there once. */
export interface CsvRows {
  readonly columns: readonly string[];
  readonly rows: readonly Cells[];
}

/** The rows become part of the runner’s code and lie in its memory at every start, at some twenty times their size. */
const MAX_FILE_CHARACTERS = 8 * 1024 * 1024;

/**
 * Reads a `.csv` file: RFC 4180, names in the first line. An empty field is null, an empty field in quotes is the empty
 * text. Refusals name the line and never show a value.
 */
export function readCsvFile(path: string, directory: string): CsvRows {
  const file = readTextFile(path, directory);
  if (file.text.length > MAX_FILE_CHARACTERS) throw tooLarge(file);
  const [columns, ...rows] = cellsOf(file);
  return { columns: columnNames(file, columns ?? []), rows };
}

function cellsOf(file: TextFile): readonly Cells[] {
  try {
    return parse(file.text, {
      record_delimiter: '\n',
      cast: (text, { quoting }) => (text === '' && !quoting ? null : text),
    });
  } catch (error) {
    throw error instanceof CsvError ? lineBroken(file, error) : error;
  }
}

function lineBroken(file: TextFile, { code, lines, record }: CsvError): ForerunError {
  const line = typeof lines === 'number' ? lines : 1;
  if (code === 'CSV_QUOTE_NOT_CLOSED') {
    return lineRefused(file, unfinishedQuote(file.text), 'a field begins with a quote and never ends');
  }
  if (code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH' && Array.isArray(record)) {
    const wanted = counted(fieldsOfFirst(file));
    return lineRefused(file, line, `the row has ${counted(record.length)}, the first line has ${wanted}`);
  }
  return lineRefused(file, line, QUOTE_FLAWS[code] ?? `the row cannot be read (${code})`);
}

const QUOTE_FLAWS: Partial<Record<CsvError['code'], string>> = {
  CSV_INVALID_CLOSING_QUOTE: 'something stands between the closing quote of a field and the next comma',
  INVALID_OPENING_QUOTE: 'a quote stands inside a field that does not begin with one',
};

/** The names, once each; anything else is a mistake that only the run would find. */
function columnNames(file: TextFile, first: Cells): readonly string[] {
  const names = first.map((name) => name ?? '');
  if (names.length === 0) throw lineRefused(file, 1, 'the names of the columns are missing', NAMES_ADVICE);
  const [only = ''] = names;
  if (names.length === 1 && /[;\t]/.test(only)) {
    throw lineRefused(
      file,
      1,
      'there is no comma in it',
      'Separate fields with commas, not with semicolons or tabs.',
    );
  }
  for (const [at, name] of names.entries()) {
    if (name === '') throw lineRefused(file, 1, `column ${at + 1} has no name`, NAMES_ADVICE);
    if (name !== name.trim()) {
      throw lineRefused(
        file,
        1,
        `blanks stand around the name of column ${at + 1}, '${name.trim()}'`,
        NAMES_ADVICE,
      );
    }
    if (names.indexOf(name) < at)
      throw lineRefused(file, 1, `two columns are called '${name}'`, NAMES_ADVICE);
  }
  return names;
}

const NAMES_ADVICE = 'The first line names each column once, separated by commas alone.';

const ROW_ADVICE =
  'Mend the line; a field with a comma, a quote or a line break stands in quotes, and a quote in it is written twice.';

function lineRefused({ shown }: TextFile, line: number, what: string, next = ROW_ADVICE): ForerunError {
  return fileRefused(`${shown}:${line}: ${what}`, next);
}

function tooLarge({ shown, text }: TextFile): ForerunError {
  return fileRefused(
    `${shown} has ${text.length.toLocaleString('en')} characters; a .csv file in the bundle may have ${MAX_FILE_CHARACTERS.toLocaleString('en')}`,
    'Keep it in S3 and give op.bulkInsert an iterable that reads it from there.',
  );
}

function fieldsOfFirst({ text }: TextFile): number {
  return parse(text, { record_delimiter: '\n', to: 1 })[0]?.length ?? 0;
}

const counted = (fields: number): string => (fields === 1 ? '1 field' : `${fields} fields`);

/** Line of the quote that opens and never closes; the parser knows only where it gave up. */
function unfinishedQuote(text: string): number {
  for (const { index, 1: end } of text.matchAll(/"(?:[^"]|"")*("|$)/g)) {
    if (end === '') return lineAt(text, index);
  }
  return 1;
}
