import { Client } from 'pg';
import type { BoundValue, Session } from '../../lambda/engine/ports.ts';

/** A session over PostgreSQL that types bound values as the Data API does: text is text, a whole number is int8. */
export function strictSession(client: Client): Session {
  return {
    async execute({ sql, parameters = {} }) {
      const values: BoundValue[] = [];
      const text = sql.replaceAll(/(?<!:):([a-z]\w*)/g, (_, name: string) => {
        const value = parameters[name] ?? null;
        values.push(value);
        return `$${values.length}${typeOf(value)}`;
      });
      const { rows, rowCount } = await client.query<Record<string, string | null>>(text, values);
      return { rows, affected: rowCount ?? 0 };
    },
  };
}

function typeOf(value: BoundValue): string {
  if (value === null) return '';
  if (typeof value === 'number') return Number.isInteger(value) ? '::int8' : '::float8';
  return { string: '::text', bigint: '::int8', boolean: '::boolean', object: '::bytea' }[
    typeof value as 'string'
  ];
}
