import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dataApiDatabase, writingClient } from '../../lambda/data-api/database.ts';
import { FAILURES, failureOf, PATIENCE_MS, type Operation } from '../../lambda/data-api/failures.ts';
import { DatabaseFailure } from '../../lambda/engine/database-failure.ts';
import type { Database } from '../../lambda/engine/ports.ts';

const OPERATIONS: readonly Operation[] = [
  'execute-alone',
  'execute-beyond-limit',
  'execute-in-transaction',
  'begin',
  'commit',
  'rollback',
];

/** A service that answers every call as it is told; a real client talks to it. */
let answer: { readonly status: number; readonly name: string | undefined };
const server = createServer((request, response) => {
  request.resume();
  const { status, name } = answer;
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(name === undefined ? {} : { 'x-amzn-errortype': name }),
  });
  response.end(status === 200 ? '{"transactionId":"t"}' : '{}');
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function database(): Database {
  const { port } = server.address() as AddressInfo;
  const client = writingClient({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'TEST', secretAccessKey: 'test' },
  });
  return dataApiDatabase({
    client,
    target: { clusterArn: 'arn:c', secretArn: 'arn:s', database: 'd', history: 'default' },
    clock: { now: Date.now, sleep: () => Promise.resolve() },
    random: () => 0.5,
    tell: () => undefined,
    deadlineMs: Date.now() + 60_000,
    patienceMs: 0,
  });
}

/** Brings one operation to the failing answer. */
async function provoke(operation: Operation, failing: typeof answer): Promise<unknown> {
  const subject = database();
  const statement = { sql: 'select 1' };
  answer = { status: 200, name: undefined };
  try {
    if (operation === 'begin') {
      answer = failing;
      await subject.begin();
      return undefined;
    }
    if (operation === 'execute-alone' || operation === 'execute-beyond-limit') {
      answer = failing;
      await subject.execute(statement, {
        rows: false,
        beyondLimit: operation === 'execute-beyond-limit',
      });
      return undefined;
    }
    const transaction = await subject.begin();
    answer = failing;
    if (operation === 'commit') await transaction.commit();
    else if (operation === 'rollback') await transaction.rollback();
    else await transaction.execute(statement, { rows: false });
    return undefined;
  } catch (cause) {
    return cause;
  }
}

const ranOf = ({ ran }: (typeof FAILURES)[number], operation: Operation): string =>
  typeof ran === 'string' ? ran : ran[operation];

const isSocketCode = (name: string): boolean => /^E[A-Z_]+$/.test(name);

describe('the table of failures', () => {
  const answered = FAILURES.flatMap((row) =>
    row.errors
      .filter((name) => !isSocketCode(name) && name !== 'CredentialsProviderError')
      .flatMap((name) => OPERATIONS.map((operation) => ({ row, name, operation }))),
  );

  test.each(answered)('$name of $operation is read as its row says', async ({ row, name, operation }) => {
    const status = /^http-(\d+)$/.exec(name)?.[1];
    const failing =
      status === undefined ? { status: 400, name } : { status: Number(status), name: undefined };
    const failure = await provoke(operation, failing);
    expect(failure).toBeInstanceOf(DatabaseFailure);
    expect(failure).toMatchObject({ kind: row.kind, ran: ranOf(row, operation) });
  });

  test.each(FAILURES.flatMap(({ errors }) => errors.filter(isSocketCode)))(
    'the socket’s %s means that nothing was sent',
    (code) => {
      for (const operation of OPERATIONS) {
        const failure = failureOf(operation, Object.assign(new Error('connect'), { code }), []);
        expect(failure).toMatchObject({ kind: 'unreachable', ran: 'no' });
      }
    },
  );

  test.each(OPERATIONS)(
    'an error that it does not know leaves %s as it is after a lost answer',
    async (operation) => {
      const failure = await provoke(operation, { status: 400, name: 'NeverHeardOfException' });
      expect(failure).toMatchObject({ kind: 'lost', ran: operation === 'begin' ? 'no' : 'unknown' });
    },
  );

  test('names a source for every row, and no error twice', () => {
    const names = FAILURES.flatMap(({ errors }) => errors);
    expect(new Set(names).size).toBe(names.length);
    expect(FAILURES.filter(({ source }) => source.trim() === '')).toEqual([]);
  });

  test('lets nothing be sent again that may have run, but a begin', () => {
    const repeated = FAILURES.filter(({ kind }) => PATIENCE_MS[kind] !== undefined).flatMap((row) =>
      OPERATIONS.filter((operation) => ranOf(row, operation) === 'no' && row.ran !== 'no'),
    );
    expect([...new Set(repeated)]).toEqual(['begin']);
  });
});
