import { resolve, sep } from 'node:path';
import type { AuthorPlaces } from '../../lambda/contract.ts';
import { shownPath } from './migration-files.ts';

/** A source map as esbuild writes it. */
export interface SourceMapText {
  readonly sources: readonly string[];
  readonly mappings: string;
}

/**
 * Which parts of a bundle are made of which lines of the author's files. A whole source map would be as large as the bundle; all
 * but the migrations folder is left out, and so are columns.
 */
export function authorPlacesOf(
  { sources, mappings }: SourceMapText,
  { directory, folder, linesBefore }: { directory: string; folder: string; linesBefore: number },
): AuthorPlaces {
  const files: string[] = [];
  const numbers = sources.map((source) => {
    const path = resolve(folder, source);
    return path.startsWith(directory + sep) && !path.includes(`${sep}node_modules${sep}`)
      ? files.push(shownPath(directory, path)) - 1
      : ELSEWHERE;
  });
  const places: AuthorPlaces['places'][number][] = [];
  let [beforeFile, beforeLine] = [ELSEWHERE, 0];
  readMappings(mappings, (line, column, source, sourceLine) => {
    const file = numbers[source] ?? ELSEWHERE;
    const fileLine = file === ELSEWHERE ? 0 : sourceLine + 1;
    if (file === beforeFile && fileLine === beforeLine) return;
    places.push([line + 1 + linesBefore, column + 1, file, fileLine]);
    [beforeFile, beforeLine] = [file, fileLine];
  });
  return { files, places };
}

const ELSEWHERE = -1;

const DIGITS = new Uint8Array(128);
'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.split('').forEach((character, value) => {
  DIGITS[character.charCodeAt(0)] = value;
});
const [NEXT_SEGMENT, NEXT_LINE] = [','.charCodeAt(0), ';'.charCodeAt(0)];

/**
 * Reads the mappings (https://tc39.es/ecma426/#sec-mappings): each number is the difference to the one before, in digits of six
 * bits, five of the number, least first, and whether more follow; the lowest of all is the sign. In one pass and without a thing
 * made for each of the hundred thousands of segments.
 */
function readMappings(
  mappings: string,
  segment: (line: number, column: number, source: number, sourceLine: number) => void,
): void {
  let [line, column, source, sourceLine] = [0, 0, 0, 0];
  let [field, value, factor] = [0, 0, 1];
  for (let at = 0; at <= mappings.length; at += 1) {
    const code = at === mappings.length ? NEXT_SEGMENT : mappings.charCodeAt(at);
    if (code === NEXT_SEGMENT || code === NEXT_LINE) {
      if (field > 0) segment(line, column, source, sourceLine);
      field = 0;
      if (code === NEXT_LINE) [line, column] = [line + 1, 0];
      continue;
    }
    const digit = DIGITS[code] ?? 0;
    value += (digit % 32) * factor;
    factor *= 32;
    if (digit >= 32) continue;
    const size = Math.floor(value / 2);
    const difference = value % 2 === 1 ? -size : size;
    if (field === 0) column += difference;
    else if (field === 1) source += difference;
    else if (field === 2) sourceLine += difference;
    field += 1;
    [value, factor] = [0, 1];
  }
}
