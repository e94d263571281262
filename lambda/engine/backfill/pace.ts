/**
 * Batches that were made one after the other, as one point: when the first of them began in milliseconds since 1970, how many
 * they are, the rows that they looked at, and the milliseconds that they took.
 */
export type PacePoint = readonly [atMs: number, batches: number, rows: number, milliseconds: number];

/** Points that a range keeps at most; every batch carries them, so they are few. */
const MOST_POINTS = 48;

/**
 * One batch more. Each point but the last stands for equally many batches; when there are too many points, neighbours become
 * one, so that the whole way stays in sight, however long it is.
 */
export function withBatch(points: readonly PacePoint[], batch: PacePoint): readonly PacePoint[] {
  const each = points[0]?.[1] ?? 1;
  const last = points.at(-1);
  const longer =
    last !== undefined && last[1] < each ? [...points.slice(0, -1), joined(last, batch)] : [...points, batch];
  return longer.length > MOST_POINTS ? inPairs(longer) : longer;
}

const inPairs = (points: readonly PacePoint[]): readonly PacePoint[] =>
  points.flatMap((point, at) => {
    if (at % 2 === 1) return [];
    const next = points[at + 1];
    return [next === undefined ? point : joined(point, next)];
  });

const joined = (one: PacePoint, other: PacePoint): PacePoint => [
  one[0],
  one[1] + other[1],
  one[2] + other[2],
  one[3] + other[3],
];
