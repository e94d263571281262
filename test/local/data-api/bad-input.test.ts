import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { ExecuteStatementCommand, type RDSDataClient } from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalService, localService, NAMES } from './local-service.ts';

const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=AKID/20250101/eu-west-1/rds-data/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
const HEADERS = { authorization: AUTHORIZATION, 'content-type': 'application/json' };

describe('the local Data API and bad input', () => {
  let service: LocalService;
  let client: RDSDataClient;
  let url: string;
  beforeAll(async () => {
    service = await localService();
    const started = await service.start();
    ({ client } = started);
    ({ url } = started.api);
  });
  afterAll(async () => {
    await service[Symbol.asyncDispose]();
  });
  /** What others get while somebody misbehaves. */
  const others = async (): Promise<unknown> =>
    (await client.send(new ExecuteStatementCommand({ ...NAMES, sql: 'select 1' }))).records;

  it.each([
    ['nothing', '', 400, 'SerializationException'],
    ['half a body', '{"sql":', 400, 'SerializationException'],
    ['a list', '[]', 400, 'SerializationException'],
    ['a number', '7', 400, 'SerializationException'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00]), 400, 'SerializationException'],
    ['brackets without an end', '['.repeat(200_000), 400, 'SerializationException'],
    ['nested objects without an end', '{"a":'.repeat(200_000), 400, 'SerializationException'],
    ['no members', '{}', 400, 'ValidationException'],
    ['a member named like a prototype', '{"__proto__":{"sql":"select 1"}}', 400, 'ValidationException'],
  ])('answers %s as AWS does, without a stack trace', async (_name, body, status, type) => {
    const response = await fetch(`${url}/Execute`, { method: 'POST', headers: HEADERS, body });
    const said = await response.text();
    expect([response.status, response.headers.get('x-amzn-errortype')]).toStrictEqual([status, type]);
    expect(said).not.toMatch(/\bat .+:\d+:\d+|node_modules|\.ts\b/u);
  });

  it('refuses 40 MiB with 413', async () => {
    const chunk = Buffer.alloc(1_048_576, 'x');
    const call = request(`${url}/Execute`, { method: 'POST', headers: HEADERS });
    for (let sent = 0; sent < 40; sent += 1) {
      if (!call.write(chunk)) await once(call, 'drain');
    }
    call.end();
    const [response] = (await once(call, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
    expect(response.statusCode).toBe(413);
    expect(await text(response)).toContain('larger than 4 MiB');
  });

  it('survives a caller who leaves in the middle of a body', async () => {
    const call = request(`${url}/Execute`, {
      method: 'POST',
      headers: { ...HEADERS, 'content-length': 1000 },
    });
    call.on('error', () => undefined);
    await new Promise((resolve) => call.write('{"sql": "sel', resolve));
    const closed = new Promise((resolve) => call.once('close', resolve));
    call.destroy();
    await closed;
    expect(await others()).toStrictEqual([[{ longValue: 1 }]]);
  });

  it.each(['no HTTP at all\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n'])(
    'closes a connection that says %j',
    async (words) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.end(words);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 [45]\d\d /u);
      expect(await others()).toStrictEqual([[{ longValue: 1 }]]);
    },
  );
});
