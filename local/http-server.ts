import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { LocalError } from './errors.ts';

/** A running server. */
export interface LocalHttpServer {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Refuses new connections, cuts the open ones and resolves when the port is free. */
  close(): Promise<void>;
}

/** What a request holds once its body has arrived. */
export interface LocalHttpRequest {
  readonly method: string;
  /** With the query string, as sent. */
  readonly path: string;
  /** Names in lower case; a repeated header is joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Bytes of the request line and the headers. */
  readonly headBytes: number;
}

/** Answers one request; an answer that is never ended leaves the client waiting, which a test may want. */
export type LocalHttpHandler = (request: LocalHttpRequest, response: ServerResponse) => Promise<void>;

/**
 * Starts an HTTP server on 127.0.0.1, on the given port or a free one.
 * A handler that rejects is answered with an empty 500: it must speak its own protocol's errors itself.
 */
export async function startHttpServer(
  handler: LocalHttpHandler,
  options: { readonly port?: number } = {},
): Promise<LocalHttpServer> {
  // Without a keep-alive limit of its own: a client that reuses a connection must not lose the race against it.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    readRequest(request)
      .then(async (read) => handler(read, response))
      .catch(() => {
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new LocalError('port-not-free', `No server could be started on port ${options.port ?? 0}.`, {
          cause,
        }),
      );
    });
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new LocalError('internal', 'The server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    close: async () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function readRequest(request: IncomingMessage): Promise<LocalHttpRequest> {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(request, 'end');
  const method = request.method ?? '';
  const path = request.url ?? '';
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const headBytes = request.rawHeaders.reduce(
    (sum, part) => sum + Buffer.byteLength(part) + 2,
    method.length + path.length,
  );
  return { method, path, headers, body: Buffer.concat(chunks), headBytes };
}
