import type { Statement } from './ports.ts';

/** Sets parameters of the server for the rest of a transaction; the names are our own, the values may be anything. */
export function settings(values: Readonly<Record<string, string>>): Statement {
  const calls = Object.keys(values).map((name) => `pg_catalog.set_config('${name}', :${name}, true)`);
  return { sql: `select ${calls.join(', ')}`, parameters: values };
}
