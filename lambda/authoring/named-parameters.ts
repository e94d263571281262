import { ForerunError } from '../engine/errors.ts';
import type { BoundValue, Statement } from '../engine/ports.ts';
import { readStatement } from '../engine/statement-guard.ts';
import { plainValue } from './plain-value.ts';

/** Plain SQL with values by name. Every placeholder must have a value and every value a placeholder. */
export function namedParameters(
  sql: string,
  values: Readonly<Record<string, unknown>> | undefined,
): Statement {
  // Without values a colon means nothing to us: it may be an array slice.
  if (values === undefined || Object.keys(values).length === 0) return { sql };
  const { placeholders } = readStatement(sql);
  const missing = [...placeholders].find((name) => !Object.hasOwn(values, name));
  if (missing !== undefined) throw refused(`The placeholder :${missing} has no value.`);
  const parameters: Record<string, BoundValue> = {};
  for (const [name, value] of Object.entries(values)) {
    if (!placeholders.has(name)) throw refused(`The value "${name}" has no placeholder :${name}.`);
    parameters[name] = plainValue(value, `:${name}`);
  }
  return { sql, parameters };
}

function refused(what: string): ForerunError {
  return new ForerunError('value-refused', {
    what,
    state: 'The statement was not sent.',
    next: 'Give each placeholder one value; placeholders stand outside quotes and comments.',
  });
}
