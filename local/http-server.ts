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
  /** Of a body longer than `keepBytes` only its beginning. */
  readonly body: Buffer;
  /** Length of the body as it was sent. */
  readonly bodyBytes: number;
  /** Bytes of the request line and the headers. */
  readonly headBytes: number;
}

/** Answers one request; an answer that is never ended leaves the client waiting, which a test may want. */
export type LocalHttpHandler = (request: LocalHttpRequest, response: ServerResponse) => Promise<void>;

/**
 * Starts an HTTP server on 127.0.0.1, on the given port or a free one. Of each body at most `keepBytes` are kept (default:
 * all); the rest is read and dropped, so that whoever sends too much still gets an answer and fills no memory.
 * A handler that rejects is answered with an empty 500: it must speak its own protocol's errors itself.
 */
export async function startHttpServer(
  handler: LocalHttpHandler,
  options: { readonly port?: number; readonly keepBytes?: number } = {},
): Promise<LocalHttpServer> {
  // Without a keep-alive limit of its own: a client that reuses a connection must not lose the race against it.
  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (request, response) => {
    readRequest(request, options.keepBytes ?? Infinity)
      .then(async (read) => handler(read, response))
      .catch(() => {
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const port = `Port ${options.port ?? 0} of 127.0.0.1`;
      const used = 'code' in cause && cause.code === 'EADDRINUSE';
      const message = used
        ? `${port} is in use by another program; take another one, or none for a free one.`
        : `${port} cannot be listened on; take another one, or none for a free one.`;
      reject(new LocalError('port-not-free', message, { cause }));
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

async function readRequest(request: IncomingMessage, keepBytes: number): Promise<LocalHttpRequest> {
  const chunks: Buffer[] = [];
  let bodyBytes = 0;
  request.on('data', (chunk: Buffer) => {
    if (bodyBytes < keepBytes) chunks.push(chunk);
    bodyBytes += chunk.length;
  });
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
  return { method, path, headers, body: Buffer.concat(chunks), bodyBytes, headBytes };
}
