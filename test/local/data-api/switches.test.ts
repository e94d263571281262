import {
  BatchExecuteStatementCommand,
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  type ExecuteStatementCommandOutput,
  type RDSDataClient,
} from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalService, localService, NAMES } from './local-service.ts';

const run = async (
  client: RDSDataClient,
  sql: string,
  transactionId?: string,
): Promise<ExecuteStatementCommandOutput> =>
  client.send(new ExecuteStatementCommand({ ...NAMES, sql, transactionId }));
const count = async (client: RDSDataClient, table: string): Promise<number | undefined> =>
  (await run(client, `select count(*) from ${table}`)).records?.[0]?.[0]?.longValue;
const begin = async (client: RDSDataClient): Promise<string> =>
  (await client.send(new BeginTransactionCommand(NAMES))).transactionId ?? '';

describe('the switches of the local Data API', () => {
  let service: LocalService;
  beforeAll(async () => {
    service = await localService();
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
  });

  it('commitOfAborted lets a failed commit look like success, and still nothing is committed', async () => {
    const { client } = await service.start({ switches: { commitOfAborted: 'committed-text' } });
    await run(client, 'create table aborted (a int)');
    const transactionId = await begin(client);
    await run(client, 'insert into aborted values (1)', transactionId);
    await expect(run(client, 'select 1/0', transactionId)).rejects.toThrow('22012');
    const { transactionStatus } = await client.send(
      new CommitTransactionCommand({ ...NAMES, transactionId }),
    );
    expect(transactionStatus).toBe('Transaction Committed');
    expect(await count(client, 'aborted')).toBe(0);
  });

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('unsupportedResult %s leaves %i row', async (unsupportedResult, rows) => {
    const table = `unsupported_${unsupportedResult}`;
    const { client } = await service.start({ switches: { unsupportedResult } });
    await run(client, `create table ${table} (a interval)`);
    await expect(run(client, `insert into ${table} values ('1 day') returning a`)).rejects.toThrow(
      'INTERVAL',
    );
    expect(await count(client, table)).toBe(rows);
  });

  it.each([
    ['keep', undefined],
    ['abort', 'TransactionNotFoundException'],
  ] as const)('unreturnableInTransaction %s', async (unreturnableInTransaction, name) => {
    const { client } = await service.start({ switches: { unreturnableInTransaction } });
    const transactionId = await begin(client);
    await expect(run(client, "select interval '1 day'", transactionId)).rejects.toThrow('INTERVAL');
    const next = await run(client, 'select 1', transactionId).then(
      () => undefined,
      (error: unknown) => (error as Error).name,
    );
    expect(next).toBe(name);
  });

  it('batchCommits all undoes the whole batch', async () => {
    const { client } = await service.start({ switches: { batchCommits: 'all' } });
    await run(client, 'create table batched (a int primary key)');
    const set = [{ name: 'a', value: { longValue: 1 } }];
    const sql = 'insert into batched values (:a)';
    const batch = client.send(new BatchExecuteStatementCommand({ ...NAMES, sql, parameterSets: [set, set] }));
    await expect(batch).rejects.toThrow('23505');
    expect(await count(client, 'batched')).toBe(0);
  });

  it.each([
    [true, '0A000'],
    [false, undefined],
  ] as const)('keepPreparedStatements %s outside a transaction', async (keepPreparedStatements, state) => {
    const table = `prepared_${String(keepPreparedStatements)}`;
    const { client } = await service.start({ switches: { keepPreparedStatements } });
    await run(client, `create table ${table} (a int)`);
    await run(client, `select * from ${table}`);
    await run(client, `alter table ${table} add b int`);
    const message = await run(client, `select * from ${table}`).then(
      () => undefined,
      (error: unknown) => /SQLState: (\w+)/u.exec((error as Error).message)?.[1],
    );
    expect(message).toBe(state);
  });
});
