import type { AuthorPlaces } from './contract.ts';

/** A frame of a stack trace within the one module of the bundle. */
const FRAME = /[/\\]index\.mjs:(\d+):(\d+)\)?$/;

/**
 * Finds the author's line in which something was thrown, `migrations/0003_add_slugs.ts:12`. The table is read when it is first
 * wanted: a run that goes well has no need of it.
 */
export function authorPlaceFinder(read: () => AuthorPlaces): (cause: unknown) => string | undefined {
  let known: AuthorPlaces | undefined;
  return (cause) => {
    if (!(cause instanceof Error) || cause.stack === undefined) return undefined;
    known ??= read();
    for (const line of cause.stack.split('\n')) {
      const [, row, column] = FRAME.exec(line) ?? [];
      const place = row === undefined ? undefined : placeAt(known, Number(row), Number(column));
      if (place !== undefined) return place;
    }
    return undefined;
  };
}

function placeAt({ files, places }: AuthorPlaces, row: number, column: number): string | undefined {
  const [, , file = -1, line = 0] =
    places.findLast(([r = 0, c = 0]) => r < row || (r === row && c <= column)) ?? [];
  return files[file] === undefined ? undefined : `${files[file]}:${line}`;
}
