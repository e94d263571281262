import { createHash, randomBytes } from 'node:crypto';

import { startHttpEndpoint } from '../lambda/http-endpoint.ts';
import { ResourceFailure } from './resource-failure.ts';

/** A place where one custom resource answers once. */
interface AnswerBox {
  /** In the form of a pre-signed S3 address: a bearer secret, never to be logged. */
  readonly url: string;
  /** The body of the first answer. Later ones are taken and ignored. Rejects when the server is closed. */
  readonly answer: Promise<Buffer>;
  /** Nothing is expected here any more. */
  close(): void;
}

/** Takes the answers of custom resources, as the S3 bucket behind `ResponseURL` does. */
export interface AnswerServer {
  readonly open: (name: string, nowMs: number) => AnswerBox;
  readonly close: () => Promise<void>;
}

/** The address that CloudFormation hands out is good for two hours. */
const EXPIRES_SECONDS = 7200;

/** Starts the server on a free port of 127.0.0.1. */
export async function startAnswerServer(): Promise<AnswerServer> {
  const boxes = new Map<string, (body: Buffer) => void>();
  const waiting = new Set<(reason: ResourceFailure) => void>();
  let closed = false;
  const server = await startHttpEndpoint(async ({ method, url, headers, body }) => {
    await Promise.resolve();
    const known = boxes.get(url.pathname + url.search);
    if (method !== 'PUT' || known === undefined) {
      // A pre-signed address is good for its one method and path.
      return { status: 403, body: '<Error><Code>SignatureDoesNotMatch</Code></Error>' };
    }
    if (headers['content-length'] === undefined) {
      // S3 takes no chunked body on a plain PUT: clients that stream their answer fail there too.
      return { status: 411, body: '<Error><Code>MissingContentLength</Code></Error>' };
    }
    known(body);
    return { status: 200, headers: { etag: `"${createHash('md5').update(body).digest('hex')}"` } };
  });
  return {
    open(name, nowMs) {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
      // Whoever asked may have given up before.
      promise.catch(() => undefined);
      const path = `/${encodeURIComponent(name)}/${randomBytes(16).toString('hex')}?${signature(nowMs)}`;
      if (closed) {
        reject(shutDown());
      }
      boxes.set(path, resolve);
      waiting.add(reject);
      return {
        url: server.url + path,
        answer: promise,
        close() {
          waiting.delete(reject);
          // The address stays open, as S3 leaves it: a late answer gets its 200 and changes nothing.
          boxes.set(path, () => undefined);
        },
      };
    },
    async close() {
      closed = true;
      for (const reject of waiting) {
        reject(shutDown());
      }
      await server.close();
    },
  };
}

function shutDown(): ResourceFailure {
  return new ResourceFailure('CloudFormation was shut down.');
}

function signature(nowMs: number): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  return new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Date': time,
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Expires': String(EXPIRES_SECONDS),
    'X-Amz-Signature': randomBytes(32).toString('hex'),
  }).toString();
}
