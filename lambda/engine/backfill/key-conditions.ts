import type { BoundValue } from '../ports.ts';
import type { KeyColumn, KeyTexts } from './backfill.ts';

/** A condition on the key, and the values it binds. */
export interface KeyCondition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, BoundValue>>;
}

/** Nothing to compare with is no condition. */
const ALWAYS: KeyCondition = { sql: 'true', parameters: {} };

/** `(columns) > key` or `<=`; the key's texts are cast to the columns' types under names that begin with `prefix`. */
export function keyCondition(
  columns: readonly string[],
  comparison: '>' | '<=',
  key: readonly KeyColumn[],
  texts: KeyTexts | null,
  prefix: string,
): KeyCondition {
  if (texts === null) return ALWAYS;
  const values = key.map(({ type }, at) => `cast(:${prefix}${at} as ${type})`);
  const parameters = Object.fromEntries(texts.map((text, at) => [`${prefix}${at}`, text]));
  return { sql: compared(columns, comparison, values), parameters };
}

/**
 * A row comparison; several columns also compare the first one alone, because the planner guesses a row comparison to
 * leave a third of the table.
 */
export function compared(
  columns: readonly string[],
  comparison: '>' | '<=',
  values: readonly string[],
): string {
  if (columns.length === 1) return `${columns[0]} ${comparison} ${values[0]}`;
  const loose = comparison === '>' ? '>=' : '<=';
  return `((${columns.join(', ')}) ${comparison} (${values.join(', ')}) and ${columns[0]} ${loose} ${values[0]})`;
}
