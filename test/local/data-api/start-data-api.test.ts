import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  type ExecuteStatementCommandInput,
  type ExecuteStatementCommandOutput,
  type RDSDataClient,
} from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startDataApi } from '../../../local/data-api/start-data-api.ts';
import { freePort } from '../../../local/postgres/free-port.ts';
import { type LocalService, localService, NAMES } from './local-service.ts';

const select = async (
  client: RDSDataClient,
  sql = 'select 1',
  options: Partial<ExecuteStatementCommandInput> = {},
): Promise<ExecuteStatementCommandOutput> =>
  client.send(new ExecuteStatementCommand({ ...NAMES, sql, ...options }));

describe('startDataApi', () => {
  let service: LocalService;
  beforeAll(async () => {
    service = await localService();
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
  });
  it('answers 504 where the database server is not there', async () => {
    const { client } = await service.start({ postgres: { host: '127.0.0.1', port: await freePort() } });
    await expect(select(client)).rejects.toMatchObject({
      name: 'DatabaseUnavailableException',
      $metadata: { httpStatusCode: 504 },
    });
  });

  it('asks authorize for the operation and for the secret, by name and ARN', async () => {
    const asked: string[] = [];
    const { client } = await service.start({
      authorize({ accessKeyId, action, resource }) {
        asked.push(`${accessKeyId} ${action} ${resource}`);
        return action.startsWith('secretsmanager:') ? 'No policy allows it.' : true;
      },
    });
    await expect(select(client, 'select 1', { secretArn: 'arn:of:the:app' })).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('No policy allows it.'),
      $metadata: { httpStatusCode: 403 },
    });
    await expect(select(client)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    expect(asked).toContain(`AKIDLOCAL rds-data:ExecuteStatement ${NAMES.resourceArn}`);
    expect(asked).toContain(`AKIDLOCAL secretsmanager:GetSecretValue ${NAMES.secretArn}`);
  });

  it('refuses a cluster that has no PostgreSQL, at the start and later', async () => {
    const { secrets } = await service.start();
    const cluster = { arn: NAMES.resourceArn };
    await expect(startDataApi({ clusters: [cluster], secrets })).rejects.toThrow('names no PostgreSQL');
    const api = await startDataApi({ clusters: [], secrets });
    onTestFinished(async () => api.stop());
    expect(() => {
      api.addCluster(cluster);
    }).toThrow('names no PostgreSQL');
  });

  it('says of a transaction that ended long ago only that it is not there', async () => {
    const { client } = await service.start();
    const commit = async (transactionId: string): Promise<unknown> =>
      client.send(new CommitTransactionCommand({ ...NAMES, transactionId }));
    const ids: string[] = [];
    while (ids.length <= 1000) {
      const some = await Promise.all(
        Array.from({ length: 20 }, async () => {
          const { transactionId = '' } = await client.send(new BeginTransactionCommand(NAMES));
          await commit(transactionId);
          return transactionId;
        }),
      );
      ids.push(...some);
    }
    await expect(commit(ids.at(-1) ?? '')).rejects.toThrow('One previous call resulted in a termination');
    const first = await commit(ids[0] ?? '').catch((error: unknown) => error);
    expect(first).toMatchObject({ name: 'TransactionNotFoundException' });
    expect(String(first)).not.toContain('One previous call');
  });

  it('maps the name of a database to the one on the server', async () => {
    await service.postgres.createDatabase('real_name');
    const cluster = { arn: NAMES.resourceArn, databases: { app: 'real_name' } };
    const { client } = await service.start({ clusters: [cluster] });
    const { records } = await select(client, 'select current_database()::text', { database: 'app' });
    expect(records).toStrictEqual([[{ stringValue: 'real_name' }]]);
  });

  it('takes a new password as soon as the secret has it, and the secret also by its name', async () => {
    const { client, secrets } = await service.start();
    await select(client, "create role rotated login password 'first'");
    const put = (password: string): void => {
      secrets.put({
        arn: 'arn:rotated',
        name: 'rotated',
        value: JSON.stringify({ username: 'rotated', password }),
      });
    };
    put('first');
    await select(client, 'select 1', { secretArn: 'arn:rotated' });
    await select(client, "alter role rotated password 'second'");
    put('wrong');
    await expect(select(client, 'select 1', { secretArn: 'arn:rotated' })).rejects.toThrow('28P01');
    put('second');
    await expect(select(client, 'select 1', { secretArn: 'arn:rotated' })).resolves.toBeDefined();
  });

  it('does not find a transaction whose session the database ended', async () => {
    const { client } = await service.start();
    const { transactionId } = await client.send(new BeginTransactionCommand(NAMES));
    const { records } = await select(client, 'select pg_backend_pid()', { transactionId });
    const pid = records?.[0]?.[0]?.longValue ?? 0;
    await select(client, `select pg_terminate_backend(${pid}, 5000)`);
    const gone = await select(client, 'select 1', { transactionId }).catch((error: unknown) => error);
    expect(['TransactionNotFoundException', 'DatabaseUnavailableException']).toContain((gone as Error).name);
    await expect(select(client, 'select 1', { transactionId })).rejects.toMatchObject({
      name: 'TransactionNotFoundException',
    });
  });

  it('serves many callers at once, each with its own answer', async () => {
    const { api, client } = await service.start();
    const numbers = Array.from({ length: 40 }, (_, index) => index);
    const answers = await Promise.all(numbers.map(async (number) => select(client, `select ${number}`)));
    expect(answers.map(({ records }) => records?.[0]?.[0]?.longValue)).toStrictEqual(numbers);
    expect(api.calls()).toHaveLength(40);
  });

  it('knows a cluster only between its coming and its going', async () => {
    const { api, client } = await service.start({ clusters: [] });
    await expect(select(client)).rejects.toMatchObject({ name: 'HttpEndpointNotEnabledException' });
    api.addCluster({ arn: NAMES.resourceArn });
    await expect(select(client)).resolves.toBeDefined();
    api.removeCluster(NAMES.resourceArn);
    await expect(select(client)).rejects.toMatchObject({ name: 'HttpEndpointNotEnabledException' });
  });

  it('stops at once under a running statement, which does not go on', async () => {
    const { api, client } = await service.start();
    const other = await service.start();
    const fault = api.faults.next({ kind: 'hold-before' });
    const call = select(client, "select pg_sleep(600)::text, 'left alone'").catch((error: unknown) => error);
    await fault.struck;
    fault.release();
    const running =
      "select count(*) from pg_stat_activity where query like '%left alone%' and state = 'active' and pid <> pg_backend_pid()";
    const active = async (): Promise<number | undefined> =>
      (await select(other.client, running)).records?.[0]?.[0]?.longValue;
    while ((await active()) !== 1);
    await api.stop();
    expect(await call).toBeInstanceOf(Error);
    while ((await active()) !== 0);
  });
});
