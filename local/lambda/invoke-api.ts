import { randomUUID } from 'node:crypto';

import { admit, type Authorize } from './admission.ts';
import { json, refuse } from './api-reply.ts';
import { answerDurable, isDurableRequest } from './durable/durable-api.ts';
import type { Executions } from './durable/executions.ts';
import { invokeDurable } from './durable/invoke-durable.ts';
import type { QueuedEvent } from './event-queue.ts';
import type { Functions, Resolved } from './functions.ts';
import type { LocalHttpServer } from '../http-server.ts';
import { startHttpEndpoint, type HttpReply, type HttpRequest } from './http-endpoint.ts';
import { MAX_EVENT_BYTES, MAX_SYNC_BYTES, type Outcome } from './invocation.ts';
import { LambdaServiceError } from './service-error.ts';

export interface InvokeApiOptions {
  readonly functions: Functions;
  readonly executions: Executions;
  readonly authorize?: Authorize;
  readonly enqueue: (target: string, event: string, requestId: string) => void;
  readonly announce: (
    event: QueuedEvent,
  ) => Promise<'lose-request' | 'lose-answer' | RefusingFault | undefined>;
  readonly run: (event: QueuedEvent) => Promise<Outcome & { readonly executedVersion: string }>;
  /** All lines of a function, for `X-Amz-Log-Result`. */
  readonly logTail: (functionName: string) => readonly string[];
}

/** How Lambda refuses to start a function; it provably did not run. */
const REFUSALS = {
  throttle: ['TooManyRequestsException', 'Rate Exceeded.'],
  deny: [
    'AccessDeniedException',
    'User is not authorized to perform: lambda:InvokeFunction because no identity-based policy allows the lambda:InvokeFunction action',
  ],
  pending: [
    'ResourceConflictException',
    'The operation cannot be performed at this time. The function is currently in the following state: Pending',
  ],
} as const;

export type RefusingFault = keyof typeof REFUSALS;

/** `X-Amz-Log-Result` carries at most the last 4 KB. */
const LOG_TAIL_BYTES = 4096;

const ROUTE = /^\/2015-03-31\/functions\/([^/]+)(\/invocations|\/configuration)?$/;

/**
 * The part of the Lambda API that running code calls: Invoke, GetFunction, GetFunctionConfiguration and durable executions,
 * over the REST protocol of the unmodified SDK. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export function startInvokeApi(options: InvokeApiOptions): Promise<LocalHttpServer> {
  return startHttpEndpoint(async (request) => {
    try {
      return await (isDurableRequest(request) ? answerDurable(options, request) : route(options, request));
    } catch (error) {
      if (error instanceof LambdaServiceError) {
        return refuse(error);
      }
      throw error;
    }
  });
}

async function route(options: InvokeApiOptions, request: HttpRequest): Promise<HttpReply> {
  const [, target, part] = ROUTE.exec(request.url.pathname) ?? [];
  if (target === undefined) {
    throw new LambdaServiceError('UnknownOperationException', `${request.method} ${request.url.pathname}`);
  }
  const name = decodeURIComponent(target);
  const qualifier = request.url.searchParams.get('Qualifier') ?? undefined;
  const resource = options.functions.arnOf(name, qualifier);
  if (request.method === 'POST' && part === '/invocations') {
    await admit(options.authorize, request.headers, 'lambda:InvokeFunction', resource);
    return await invoke(options, request, name, qualifier);
  }
  if (request.method === 'GET') {
    const action = part === undefined ? 'lambda:GetFunction' : 'lambda:GetFunctionConfiguration';
    await admit(options.authorize, request.headers, action, resource);
    const configuration = describe(options.functions.resolve(name, qualifier));
    return json(200, part === undefined ? { Configuration: configuration } : configuration);
  }
  throw new LambdaServiceError('UnknownOperationException', `${request.method} ${request.url.pathname}`);
}

async function invoke(
  options: InvokeApiOptions,
  { headers, body }: HttpRequest,
  name: string,
  qualifier: string | undefined,
): Promise<HttpReply> {
  const type = headers['x-amz-invocation-type'] ?? 'RequestResponse';
  const event = readEvent(body, type === 'Event' ? 'Event' : 'RequestResponse');
  const resolved = options.functions.resolve(name, qualifier);
  const { invokedArn: target, version } = resolved;
  const requestId = randomUUID();
  if (type === 'DryRun') {
    return { status: 204, headers: { 'x-amzn-requestid': requestId } };
  }
  const executionName = headers['x-amz-durable-execution-name'];
  if (version.settings.durable !== undefined || executionName !== undefined) {
    const mode = type === 'Event' ? 'Event' : 'RequestResponse';
    const start = { target: resolved, name: executionName, input: event };
    return await invokeDurable(options.executions, mode, start, requestId);
  }
  if (type === 'Event') {
    options.enqueue(target, event, requestId);
    return { status: 202, headers: { 'x-amzn-requestid': requestId } };
  }
  const queued = { requestId, target, event };
  const fault = await options.announce(queued);
  if (fault === 'lose-request') {
    return 'cut';
  }
  if (fault !== undefined && fault !== 'lose-answer') {
    const [code, message] = REFUSALS[fault];
    throw new LambdaServiceError(code, message);
  }
  const linesBefore = options.logTail(version.name).length;
  const outcome = await options.run(queued);
  if (fault === 'lose-answer') {
    return 'cut';
  }
  const tail = options.logTail(version.name).slice(linesBefore).join('\n');
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'x-amzn-requestid': requestId,
      'x-amz-executed-version': outcome.executedVersion,
      ...(outcome.functionError === undefined ? {} : { 'x-amz-function-error': outcome.functionError }),
      ...(headers['x-amz-log-type'] === 'Tail' ? { 'x-amz-log-result': base64Tail(tail) } : {}),
    },
    body: outcome.payload,
  };
}

function readEvent(body: Buffer, type: 'Event' | 'RequestResponse'): string {
  const limit = type === 'Event' ? MAX_EVENT_BYTES : MAX_SYNC_BYTES;
  if (body.length > limit) {
    throw new LambdaServiceError(
      'RequestTooLargeException',
      `${body.length} byte payload is too large for the ${type} invocation type (limit ${limit} bytes)`,
    );
  }
  const text = body.length === 0 ? '{}' : body.toString('utf8');
  try {
    JSON.parse(text);
  } catch {
    throw new LambdaServiceError('InvalidRequestContentException', 'Could not parse request body into json');
  }
  return text;
}

/** Local functions are ready as soon as they exist. */
function describe({ version, invokedArn }: Resolved): Readonly<Record<string, unknown>> {
  const { durable } = version.settings;
  return {
    FunctionName: version.name,
    FunctionArn: invokedArn,
    Version: version.version,
    Role: version.settings.role,
    Handler: version.settings.handler,
    Runtime: version.settings.runtime ?? 'nodejs24.x',
    MemorySize: version.settings.memoryMb ?? 128,
    Timeout: version.settings.timeoutSeconds ?? 3,
    CodeSha256: Buffer.from(version.code.sha256, 'hex').toString('base64'),
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    ...(durable === undefined
      ? {}
      : {
          DurableConfig: {
            ExecutionTimeout: durable.executionTimeoutSeconds,
            RetentionPeriodInDays: durable.retentionDays,
          },
        }),
  };
}

function base64Tail(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.subarray(Math.max(0, bytes.length - LOG_TAIL_BYTES)).toString('base64');
}
