import { sql as kyselySql, type Sql } from 'kysely';

/**
 * Kysely's template: every `${value}` becomes a parameter, queries and references compose.
 * Nothing says which type such a value has, so cast it where it is not text: `${id}::uuid`.
 *
 * @example await op.execute(sql`update articles set title = upper(title) where id = ${id}::bigint`);
 */
export const sql: Sql = kyselySql;
