/** Numbers between 0 and 1 that only depend on the words they are made from (FNV-1a, then mulberry32). */
export function chanceOf(...words: readonly (string | number)[]): () => number {
  let state = 2_166_136_261;
  for (const character of words.join('|')) {
    state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 16_777_619);
  }
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** At most `wanted` of the items, chosen by chance, in their own order. */
export function sampleOf<T>(items: readonly T[], wanted: number, chance: () => number): readonly T[] {
  const drawn = items.map((item, at) => ({ item, at, lot: chance() }));
  return drawn
    .sort((one, other) => one.lot - other.lot)
    .slice(0, wanted)
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
