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
  let before = [ELSEWHERE, 0];
  for (const { line, column, source, sourceLine } of segmentsOf(mappings)) {
    const file = numbers[source] ?? ELSEWHERE;
    const place = file === ELSEWHERE ? [ELSEWHERE, 0] : [file, sourceLine + 1];
    if (place.every((part, at) => part === before[at])) continue;
    places.push([line + 1 + linesBefore, column + 1, ...place]);
    before = place;
  }
  return { files, places };
}

const ELSEWHERE = -1;

interface Segment {
  readonly line: number;
  readonly column: number;
  readonly source: number;
  readonly sourceLine: number;
}

/** Reads the mappings (https://tc39.es/ecma426/#sec-mappings): each number is the difference to the one before. */
function* segmentsOf(mappings: string): Generator<Segment> {
  let [source, sourceLine] = [0, 0];
  for (const [line, text] of mappings.split(';').entries()) {
    let column = 0;
    for (const segment of text === '' ? [] : text.split(',')) {
      const [columns = 0, sources = 0, lines = 0] = numbersOf(segment);
      column += columns;
      source += sources;
      sourceLine += lines;
      yield { line, column, source, sourceLine };
    }
  }
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Six bits a character: five of the number, least first, and whether more follow; the lowest of all is the sign. */
function numbersOf(segment: string): readonly number[] {
  const numbers: number[] = [];
  let [value, factor] = [0, 1];
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit % 32) * factor;
    factor *= 32;
    if (digit >= 32) continue;
    const size = Math.floor(value / 2);
    numbers.push(value % 2 === 1 ? -size : size);
    [value, factor] = [0, 1];
  }
  return numbers;
}
