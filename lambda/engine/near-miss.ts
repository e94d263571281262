/** The known name that was probably meant: one or two letters differ, are missing or are exchanged. */
function nearMiss(name: string, known: readonly string[]): string | undefined {
  const [nearest] = known
    .map((one) => ({ one, distance: distanceOf(name.toLowerCase(), one.toLowerCase()) }))
    .filter(({ distance }) => distance <= Math.min(2, name.length / 2))
    .toSorted((a, b) => a.distance - b.distance);
  return nearest?.one;
}

/** The same as the end of a sentence about known names. */
export function meantBy(name: string, known: readonly string[]): string {
  const meant = nearMiss(name, known);
  return meant === undefined ? '' : `; "${meant}" is probably meant`;
}

/** How many letters must be put in, taken out or changed; the rows of the usual table, one at a time. */
function distanceOf(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [at, letter] of one.split('').entries()) {
    const next = [at + 1];
    for (let to = 0; to < other.length; to += 1) {
      const changed = (row[to] ?? 0) + (letter === other[to] ? 0 : 1);
      next.push(Math.min(changed, (row[to + 1] ?? 0) + 1, (next[to] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
