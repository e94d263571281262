import { once } from 'node:events';
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { putAnswer } from '../../lambda/gate/answer.ts';
import { request } from '../../lambda/http.ts';

const toClose: (() => void)[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'forerun-http-'));
});
afterEach(() => {
  for (const close of toClose.splice(0)) close();
  rmSync(folder, { recursive: true, force: true });
});

const portOf = (server: net.Server): number => (server.address() as AddressInfo).port;

async function listening(onSocket: (socket: net.Socket) => void): Promise<string> {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  toClose.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${portOf(server)}/`;
}

/** A process that listens and is then stopped, with its queue of connections full: no further one comes about. */
async function deaf(): Promise<string> {
  const file = join(folder, 'listen.cjs');
  writeFileSync(
    file,
    `const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.send(server.address().port));`,
  );
  const child: ChildProcess = fork(file);
  const [port] = (await once(child, 'message')) as [number];
  child.kill('SIGSTOP');
  const waiting = Array.from({ length: 40 }, () => net.connect(port, '127.0.0.1').on('error', () => {}));
  toClose.push(() => {
    for (const socket of waiting) socket.destroy();
    child.kill('SIGKILL');
  });
  return `http://127.0.0.1:${port}/`;
}

/** Never quite done with its answer. */
const trickling = (): Promise<string> =>
  listening((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n');
    const drip = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(drip));
  });

const silent = (): Promise<string> => listening((socket) => socket.resume());

const places = { 'accepts nothing': deaf, 'says nothing': silent, 'answers byte by byte': trickling };

describe.each(Object.entries(places))('a server that %s', (_claim, place) => {
  test('is left when the time of the request is over', async () => {
    const url = new URL(await place());
    const asked = request({ url, method: 'PUT', headers: {}, body: 'x', timeoutMs: 500 });
    await expect(asked).rejects.toMatchObject({ code: 'ETIMEDOUT' });
  });

  test('costs an answer no more than the time that is left for it', async () => {
    const asked = {
      RequestType: 'Create',
      RequestId: 'request-1',
      StackId: 'stack',
      LogicalResourceId: 'Migrations',
      ResponseURL: await place(),
      ResourceProperties: {},
    } as const;
    const began = Date.now();
    const put = putAnswer(asked, { status: 'SUCCESS', reason: 'fine', data: {} }, began + 300);
    await expect(put).rejects.toThrow('CloudFormation did not take the answer (ETIMEDOUT)');
    // One attempt may take five seconds where there is time for it.
    expect(Date.now() - began).toBeLessThan(4_500);
  });
});
