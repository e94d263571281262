import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createBuilder } from '../../lambda/authoring/dialect.ts';
import { startPostgres, type LocalPostgres } from '../../local/postgres/postgres.ts';
import { SHAPES } from './query-shapes.ts';
import { shop, SHOP_SCHEMA } from './shop-tables.ts';
import { strictSession } from './strict-session.ts';

describe('PostgreSQL takes', () => {
  let server: LocalPostgres;
  let client: Client;

  beforeAll(async () => {
    server = await startPostgres();
    const { host, port, user, password } = server;
    client = new Client({ host, port, user, password, database: 'postgres' });
    await client.connect();
    for (const statement of SHOP_SCHEMA) await client.query(statement);
  });

  afterAll(async () => {
    await client.end();
    await server.stop();
  });

  test.each(SHAPES)('$name', async ({ query }) => {
    const db = createBuilder(strictSession(client), shop);
    await client.query('begin');
    try {
      await expect(query(db).execute()).resolves.toBeDefined();
    } finally {
      await client.query('rollback');
    }
  });
});
