import { ForerunError } from '../engine/errors.ts';
import type { BoundValue, Statement } from '../engine/ports.ts';
import { readColons } from './colons.ts';
import { plainValue } from './plain-value.ts';

/** Plain SQL with values by name. Every placeholder must have a value and every value a placeholder. */
export function namedParameters(sql: string, values: Readonly<Record<string, unknown>> = {}): Statement {
  const given = Object.entries(values);
  const read = readColons(sql, new Set(Object.keys(values)));
  const missing = [...read.placeholders].find((name) => !Object.hasOwn(values, name));
  if (missing !== undefined) throw refused(`The placeholder :${missing} has no value.`);
  const parameters: Record<string, BoundValue> = {};
  for (const [name, value] of given) {
    if (!read.placeholders.has(name)) throw refused(`The value "${name}" has no placeholder :${name}.`);
    parameters[name] = plainValue(value, `:${name}`);
  }
  return given.length === 0 ? { sql: read.sql } : { sql: read.sql, parameters };
}

function refused(what: string): ForerunError {
  return new ForerunError('value-refused', {
    what,
    state: 'The statement was not sent.',
    next: 'Give each placeholder one value; placeholders stand outside quotes and comments.',
  });
}
