import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  type RDSDataClient,
} from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { manualClock } from '../../../local/clock.ts';
import { type LocalService, localService, NAMES } from './local-service.ts';

const run = async (
  client: RDSDataClient,
  sql: string,
  transactionId?: string,
): Promise<number | undefined> => {
  const command = new ExecuteStatementCommand({ ...NAMES, sql, transactionId });
  return (await client.send(command)).records?.[0]?.[0]?.longValue;
};

const begin = async (client: RDSDataClient): Promise<string> =>
  (await client.send(new BeginTransactionCommand(NAMES))).transactionId ?? '';

const SESSIONS = `select count(*) from pg_stat_activity where backend_type = 'client backend'`;
const OPEN = `${SESSIONS} and state = 'idle in transaction'`;

describe('the local Data API under load', () => {
  let service: LocalService;
  beforeAll(async () => {
    service = await localService();
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
  });

  it('holds 64 transactions open at once, each with what it wrote and nothing of the others', async () => {
    const { client } = await service.start();
    await run(client, 'create table many (a int)');
    const numbers = Array.from({ length: 64 }, (_, index) => index);
    const ids = await Promise.all(numbers.map(async () => begin(client)));
    await Promise.all(ids.map(async (id, number) => run(client, `insert into many values (${number})`, id)));
    expect(await run(client, OPEN)).toBe(64);
    const own = await Promise.all(ids.map(async (id) => run(client, 'select min(a) from many', id)));
    expect(own).toStrictEqual(numbers);
    await Promise.all(
      ids.map(async (transactionId) =>
        client.send(new CommitTransactionCommand({ ...NAMES, transactionId })),
      ),
    );
    expect(await run(client, 'select count(*) from many')).toBe(64);
    expect(await run(client, OPEN)).toBe(0);
  });

  it('serves 10,000 calls without growing and without leaving a session behind', async () => {
    const { api, client } = await service.start({ callsKept: 100 });
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    onTestFinished(() => {
      agent.destroy();
    });
    const post = async (path: string, members: Readonly<Record<string, string>>): Promise<string> =>
      send(agent, `${api.url}${path}`, JSON.stringify({ ...NAMES, ...members }));
    const serve = async (calls: number): Promise<void> => {
      let left = calls;
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          while (left > 0) {
            left -= 2;
            if (left % 50 === 0) {
              const { transactionId } = JSON.parse(await post('/BeginTransaction', {})) as Transaction;
              await post('/CommitTransaction', { transactionId });
            } else {
              await post('/Execute', { sql: 'select 1' });
              await post('/Execute', { sql: 'selec 1' });
            }
          }
        }),
      );
    };
    // The server is shared with the other tests of this file, whose services keep idle sessions of their own.
    const sessionsBefore = await run(client, SESSIONS);
    // What is remembered of calls on purpose is full before the measuring begins.
    await serve(2000);
    const before = usedMegabytes();
    await serve(10_000);
    expect(usedMegabytes() - before).toBeLessThan(1.5);
    expect(api.calls().length).toBeLessThanOrEqual(100);
    // At most the idle ones that are kept on purpose.
    expect(Number(await run(client, SESSIONS)) - Number(sessionsBefore)).toBeLessThanOrEqual(16);
  }, 180_000);

  it('frees what a killed client had locked once the transaction was idle for three minutes', async () => {
    const clock = manualClock();
    const { api, client } = await service.start({ clock });
    await run(client, 'create table locked (a int)');
    const fixture = fileURLToPath(new URL('fixtures/lock-and-wait.ts', import.meta.url));
    const names = [NAMES.resourceArn, NAMES.secretArn, NAMES.database, 'locked'];
    const child = spawn(process.execPath, [fixture, api.url, ...names], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const killed = once(child, 'exit');
    child.kill('SIGKILL');
    await killed;
    const locks = `select count(*) from pg_locks where relation = 'locked'::regclass`;
    clock.advance(179_000);
    expect(await run(client, locks)).toBe(1);
    clock.advance(1000);
    while ((await run(client, locks)) !== 0);
    await run(client, 'insert into locked values (1)');
  });
});

interface Transaction {
  readonly transactionId: string;
}

/** A signed request without the SDK, whose own memory is not to be measured. */
async function send(agent: Agent, url: string, body: string): Promise<string> {
  const scope = '20250101/eu-west-1/rds-data/aws4_request';
  const authorization = `AWS4-HMAC-SHA256 Credential=AKID/${scope}, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
  const headers = {
    authorization,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  const call = request(url, { method: 'POST', agent, headers });
  call.end(body);
  const [response] = (await once(call, 'response')) as [NodeJS.ReadableStream];
  return text(response);
}

/** What is in use after everything that nobody holds was thrown away. */
function usedMegabytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed / 1_048_576;
}
