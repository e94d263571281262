import { ForerunError } from '../engine/errors.ts';
import type { BoundValue, Statement } from '../engine/ports.ts';
import { readColons } from './colons.ts';
import { plainValue } from './plain-value.ts';

type Values = Readonly<Record<string, unknown>>;

/** Plain SQL with values by name. Every placeholder must have a value and every value a placeholder. */
export function namedParameters(sql: string, values: Values = {}): Statement {
  const { placeholders, ...read } = readColons(sql, new Set(Object.keys(values)));
  refuseMissing(placeholders, values);
  const given = Object.entries(values);
  const parameters: Record<string, BoundValue> = {};
  for (const [name, value] of given) {
    if (!placeholders.has(name)) throw refused(`The value "${name}" has no placeholder :${name}.`);
    parameters[name] = plainValue(value, `:${name}`);
  }
  return given.length === 0 ? read : { ...read, parameters };
}

/** SQL whose placeholders were written for these values, kept from being read otherwise. */
export function placeNames(sql: string, values: Values): string {
  const { placeholders, sql: placed } = readColons(sql, new Set(Object.keys(values)));
  refuseMissing(placeholders, values);
  return placed;
}

function refuseMissing(placeholders: ReadonlySet<string>, values: Values): void {
  const missing = [...placeholders].find((name) => !Object.hasOwn(values, name));
  if (missing !== undefined) throw refused(`The placeholder :${missing} has no value.`);
}

function refused(what: string): ForerunError {
  return new ForerunError('value-refused', {
    what,
    state: 'The statement was not sent.',
    next: 'Give each placeholder one value; placeholders stand outside quotes and comments.',
  });
}
