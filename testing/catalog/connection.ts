import { Client } from 'pg';
import type { LocalPostgres } from '../../local/postgres/postgres.ts';

/** One question to PostgreSQL itself, past the Data API: the catalog has types that the service cannot return. */
export async function ask<R>(
  server: Pick<LocalPostgres, 'host' | 'port' | 'user' | 'password'>,
  database: string,
  sql: string,
): Promise<readonly R[]> {
  const { host, port, user, password } = server;
  const client = new Client({ host, port, user, password, database });
  // A server that goes away says so to whoever waits for an answer; without a listener it would end this process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    // Without a search path, PostgreSQL prints every name with its schema.
    await client.query(`set search_path = ''`);
    // The statement says what a row looks like; nothing here can check it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (await client.query(sql)).rows as R[];
  } finally {
    await client.end();
  }
}
