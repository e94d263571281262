import { ForerunError } from '../engine/errors.ts';
import type { BoundValue } from '../engine/ports.ts';
import { isStorable } from './value-text.ts';

/**
 * A value whose type nothing says: it is bound by its JavaScript type alone (string as text, whole number as bigint,
 * other numbers as double precision), so SQL that needs another type has to cast it: `${id}::uuid`.
 */
export function plainValue(value: unknown, place: string): BoundValue {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'number') return value;
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') {
    if (isStorable(value)) return value;
    throw refused(
      place,
      'holds the character U+0000 or half a surrogate pair, which PostgreSQL cannot store.',
    );
  }
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
  throw refused(place, `is ${kindOf(value)}, and nothing says which type it has in the database.`);
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'undefined';
  if (Array.isArray(value)) return 'an array';
  if (value instanceof Date) return 'an invalid Date';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function refused(place: string, why: string): ForerunError {
  return new ForerunError('value-refused', {
    what: `The value of ${place} ${why}`,
    state: 'The statement was not sent.',
    next:
      'Compare it with or store it in a column that table() declares, use that column’s value(), ' +
      'or write it as text with a cast (JSON.stringify and ::jsonb, an array literal and ::text[]).',
  });
}
