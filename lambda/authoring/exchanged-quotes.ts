import type { ValueType } from './value-type.ts';

/**
 * Types whose texts are full of quotes, each of which a JSON request would send as two bytes: they travel with quotes
 * and tildes exchanged, and PostgreSQL exchanges them back.
 */
export function isQuoted(type: ValueType | undefined): boolean {
  return type?.family === 'json' || type?.family === 'jsonb' || type?.family === 'array';
}

export function exchangeQuotes(text: string): string {
  return text.replaceAll(/["~]/g, (mark) => (mark === '"' ? '~' : '"'));
}
