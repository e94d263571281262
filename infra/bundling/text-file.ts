import { readFileSync } from 'node:fs';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';
import { shownPath } from './migration-files.ts';
import { frameOf, placeAt } from './source-place.ts';

/** A data file beside the migrations. */
export interface TextFile {
  /** From the folder that holds the migrations, for messages. */
  readonly shown: string;
  /** Without a byte order mark and with `\n` at every line's end, because a checkout may turn line ends into CRLF. */
  readonly text: string;
}

/** Reads a file that must be UTF-8 without U+0000: anything else would reach the database changed or not at all. */
export function readTextFile(path: string, directory: string): TextFile {
  const shown = shownPath(directory, path);
  const text = decoded(readFileSync(path), shown).replaceAll('\r\n', '\n');
  const zero = text.indexOf('\u0000');
  if (zero === -1) return { shown, text };
  throw fileRefused(
    `${shown}:${placeAt(text, zero).line}: the character U+0000 stands there`,
    'PostgreSQL cannot store it: take it out.',
  );
}

/** A refusal of the file at a place, with the line and a caret under it. */
export function refusedAt(
  { shown, text }: TextFile,
  index: number,
  what: string,
  next: string = 'Mend it here:',
): ForerunError {
  const place = placeAt(text, index);
  return fileRefused(`${shown}:${place.line}:${place.column}: ${what}`, `${next}${frameOf(place)}`);
}

/** `what` without its full stop. */
export function fileRefused(what: string, next: string): ForerunError {
  return new ForerunError('migration-not-loadable', { what: `${what}.`, state: UNTOUCHED, next });
}

function decoded(bytes: Uint8Array, shown: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fileRefused(`${shown} is not UTF-8`, 'Save it as UTF-8.');
  }
}
