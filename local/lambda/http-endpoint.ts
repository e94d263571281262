import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer, or the end of the connection without one. */
export type HttpReply =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | 'cut';

export interface HttpEndpoint {
  /** Without a slash at the end. */
  readonly url: string;
  /** Cuts open connections. */
  close(): Promise<void>;
}

/** Serves on a free port of 127.0.0.1. A handler that fails is answered as 500, without its reason. */
export async function startHttpEndpoint(
  handle: (request: HttpRequest) => Promise<HttpReply>,
): Promise<HttpEndpoint> {
  const server = createServer((incoming, response) => {
    void (async () => {
      let reply: HttpReply;
      try {
        const body = await readBody(incoming);
        const { method = '', url = '/', headers } = incoming;
        reply = await handle({ method, url: new URL(url, 'http://127.0.0.1'), headers, body });
      } catch {
        reply = { status: 500, body: '{"message":"Internal failure"}' };
      }
      if (reply === 'cut') {
        incoming.socket.destroy();
        return;
      }
      const text = reply.body ?? '';
      response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(text) });
      response.end(text);
    })();
  });
  // A function may work for fifteen minutes before the first byte of its answer.
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function readBody(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    chunks.push(Buffer.from(chunk));
  }
  return Buffer.concat(chunks);
}

function portOf(address: AddressInfo | string | null): number {
  return address === null || typeof address === 'string' ? 0 : address.port;
}
