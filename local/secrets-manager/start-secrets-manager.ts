import { randomUUID } from 'node:crypto';
import { type Authorize, denial, signedAccessKey } from '../data-api/caller.ts';
import { type LocalHttpRequest, startHttpServer } from '../http-server.ts';
import {
  SECRET_OPERATIONS,
  secretNotFound,
  type SecretOperation,
  type SecretRequest,
} from './secret-operations.ts';
import type { SecretLookup } from './secret-store.ts';
import { SecretsError } from './secrets-error.ts';

/** One request; never holds a secret's value. */
export interface SecretsCall {
  readonly operation: string;
  readonly accessKeyId: string;
  readonly secretId: string;
  /** Name of the exception it was answered with. */
  readonly error: string | undefined;
}

export interface SecretsManagerOptions {
  readonly secrets: SecretLookup;
  /** Port of 127.0.0.1. Default: a free one. */
  readonly port?: number;
  /** Default: everybody may do everything. */
  readonly authorize?: Authorize;
  readonly onCall?: (call: SecretsCall) => void;
}

export interface LocalSecretsManager {
  /** For `AWS_ENDPOINT_URL_SECRETS_MANAGER`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves `GetSecretValue` and `DescribeSecret` of AWS Secrets Manager. */
export async function startSecretsManager(options: SecretsManagerOptions): Promise<LocalSecretsManager> {
  const server = await startHttpServer(
    async (request, response) => {
      const { status, body } = serve(options, request);
      const text = JSON.stringify(body);
      response.writeHead(status, {
        'content-type': 'application/x-amz-json-1.1',
        'content-length': Buffer.byteLength(text),
        'x-amzn-requestid': randomUUID(),
      });
      response.end(text);
      return Promise.resolve();
    },
    options.port === undefined ? {} : { port: options.port },
  );
  return { url: server.url, stop: async () => server.close() };
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The protocol is AWS JSON 1.1: one path, the operation in a header, the error's name in the body. */
function serve(options: SecretsManagerOptions, request: LocalHttpRequest): Answer {
  const operation = request.headers['x-amz-target']?.replace(/^secretsmanager\./u, '') ?? '';
  const accessKeyId = signedAccessKey(request.headers, 'secretsmanager');
  const wanted = readRequest(request.body);
  try {
    if (accessKeyId === undefined) {
      throw new SecretsError('MissingAuthenticationTokenException', 'Missing Authentication Token');
    }
    const run = SECRET_OPERATIONS.get(operation);
    if (run === undefined) throw new SecretsError('UnknownOperationException', `No operation ${operation}`);
    const body = perform(options, run, { operation, accessKeyId, wanted });
    options.onCall?.({ operation, accessKeyId, secretId: wanted?.SecretId ?? '', error: undefined });
    return { status: 200, body };
  } catch (error) {
    if (!(error instanceof SecretsError)) throw error;
    const secretId = wanted?.SecretId ?? '';
    options.onCall?.({ operation, accessKeyId: accessKeyId ?? '', secretId, error: error.name });
    return { status: 400, body: { __type: error.name, message: error.message } };
  }
}

function perform(
  { secrets, authorize }: SecretsManagerOptions,
  run: SecretOperation,
  call: {
    readonly operation: string;
    readonly accessKeyId: string;
    readonly wanted: SecretRequest | undefined;
  },
): Readonly<Record<string, unknown>> {
  if (call.wanted === undefined) throw new SecretsError('InvalidParameterException', 'SecretId is missing');
  const secret = secrets.find(call.wanted.SecretId);
  const resource = secret?.arn ?? call.wanted.SecretId;
  const action = `secretsmanager:${call.operation}`;
  // Before it is told whether the secret exists, as AWS does it.
  const reason = denial(authorize, { accessKeyId: call.accessKeyId, action, resource });
  if (reason !== undefined) throw new SecretsError('AccessDeniedException', reason);
  if (secret === undefined) throw secretNotFound('secret');
  return run(secret, call.wanted);
}

function readRequest(body: Buffer): SecretRequest | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return isRequest(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isRequest(value: unknown): value is SecretRequest {
  return (
    typeof value === 'object' && value !== null && 'SecretId' in value && typeof value.SecretId === 'string'
  );
}
