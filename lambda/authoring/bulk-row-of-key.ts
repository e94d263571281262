import type { Packet } from './bulk-packet.ts';

/**
 * Finds the row of a call whose key the database speaks of. PostgreSQL writes the key's values into its message, which is never
 * shown: they are only compared. A key that PostgreSQL writes in another form than it was sent in is not found.
 */
export function keyFinder({ columns, cells, numbers }: Packet) {
  return (key: readonly string[], values: string): string | undefined => {
    const places = key.map((column) => columns.indexOf(column));
    if (places.includes(-1)) return undefined;
    const found = numbers.filter(
      (_, row) => places.map((place) => cells[place]?.[row] ?? '').join(', ') === values,
    );
    if (found.length === 0) return undefined;
    return found.length === 1
      ? `it is row ${found.join('')}`
      : `they are rows ${found.slice(0, 5).join(', ')}`;
  };
}
