import http from 'node:http';
import https from 'node:https';
import aws4 from 'aws4';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

interface HttpRequest {
  readonly url: URL;
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** For all of it, from looking up the name to the last byte of the answer. */
  readonly timeoutMs: number;
}

/** Often enough that no router on the way forgets a connection that waits for minutes (NAT gateways do after 350 s). */
const KEEP_ALIVE_MS = 30_000;

/**
 * One request, one attempt. Not `fetch`: it gives up when the first header takes longer than 300 seconds, and a runner may
 * work for eleven minutes before it answers.
 */
export function request({ url, method, headers, body, timeoutMs }: HttpRequest): Promise<HttpAnswer> {
  const { request: start } = url.protocol === 'http:' ? http : https;
  return new Promise<HttpAnswer>((resolve, reject) => {
    const outgoing = start(url, { method, headers }, (incoming) => {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('error', fail);
      incoming.on('end', () => {
        clearTimeout(timer);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(parts).toString(),
        });
      });
      incoming.on('aborted', () => fail(broken('answer cut off', 'ECONNRESET')));
    });
    // A clock of our own: the timeout of a request begins only with its connection, and begins anew with each byte.
    const timer = setTimeout(() => {
      fail(broken('no answer', 'ETIMEDOUT'));
      outgoing.destroy();
    }, timeoutMs);
    function fail(cause: Error): void {
      clearTimeout(timer);
      reject(cause);
    }
    outgoing.setSocketKeepAlive(true, KEEP_ALIVE_MS);
    outgoing.on('error', fail);
    outgoing.end(body);
  });
}

const broken = (message: string, code: string): Error => Object.assign(new Error(message), { code });

/** Each service by its name in addresses and signatures, with the variable that says where else it is. */
const ENDPOINT_VARIABLES = {
  lambda: 'AWS_ENDPOINT_URL_LAMBDA',
  cloudformation: 'AWS_ENDPOINT_URL_CLOUDFORMATION',
  events: 'AWS_ENDPOINT_URL_EVENTBRIDGE',
} as const;

export interface SignedCall {
  readonly service: keyof typeof ENDPOINT_VARIABLES;
  /** @default 'POST' */
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default '' */
  readonly body?: string;
  readonly timeoutMs: number;
}

/** One call of an AWS service, signed with the function's own credentials. Endpoint variables work as in the AWS SDKs. */
export function callAws({
  service,
  method = 'POST',
  path,
  headers = {},
  body = '',
  timeoutMs,
}: SignedCall): Promise<HttpAnswer> {
  const { env } = process;
  const region = env['AWS_REGION'] ?? '';
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const endpoint =
    env[ENDPOINT_VARIABLES[service]] ?? env['AWS_ENDPOINT_URL'] ?? `https://${service}.${region}.${suffix}`;
  const url = new URL(path, endpoint);
  const signed = aws4.sign(
    {
      service,
      region,
      method,
      host: url.host,
      path: url.pathname + url.search,
      headers: { ...headers },
      body,
    },
    {
      accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? '',
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'] ?? '',
      ...(env['AWS_SESSION_TOKEN'] === undefined ? {} : { sessionToken: env['AWS_SESSION_TOKEN'] }),
    },
  );
  const signedHeaders = Object.entries(signed.headers ?? {}).map(
    ([name, value]) => [name, String(value)] as const,
  );
  return request({ url, method, headers: Object.fromEntries(signedHeaders), body, timeoutMs });
}
