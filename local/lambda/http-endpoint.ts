import { startHttpServer, type LocalHttpServer } from '../http-server.ts';

/** A request with its address taken apart. */
export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An answer as a value, or the end of the connection without one. */
export type HttpReply =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | 'cut';

/** Serves requests with a function from request to answer, on a free port of 127.0.0.1. */
export function startHttpEndpoint(
  handle: (request: HttpRequest) => Promise<HttpReply>,
): Promise<LocalHttpServer> {
  return startHttpServer(async ({ method, path, headers, body }, response) => {
    const reply = await handle({ method, url: new URL(path, 'http://127.0.0.1'), headers, body });
    if (reply === 'cut') {
      response.destroy();
      return;
    }
    const text = reply.body ?? '';
    response.writeHead(reply.status, { ...reply.headers, 'content-length': Buffer.byteLength(text) });
    response.end(text);
  });
}
