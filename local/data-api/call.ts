import type { ServerResponse } from 'node:http';
import type { LocalHttpRequest } from '../http-server.ts';
import { afterFault, type Answer, errorAnswer, refusal, write } from './answer.ts';
import { type CallLog, type OperationName, SQL_CHARACTERS_LOGGED } from './call-log.ts';
import { signedAccessKey } from './caller.ts';
import { databaseError } from './database-error.ts';
import type { FaultBox, StrikingFault } from './faults.ts';
import { batchExecuteStatement } from './operations/batch-execute-statement.ts';
import type { Operation, OperationCall, ServiceContext } from './operations/context.ts';
import { executeStatement } from './operations/execute-statement.ts';
import {
  beginTransaction,
  commitTransaction,
  rollbackTransaction,
} from './operations/transaction-operations.ts';
import { type JsonObject, parseBody } from './json-members.ts';
import { LIMITS } from './request.ts';
import { ServiceError } from './service-error.ts';

interface Route {
  readonly name: OperationName;
  readonly operation: Operation;
}

const ROUTES: ReadonlyMap<string, Route> = new Map([
  ['/Execute', { name: 'ExecuteStatement', operation: executeStatement }],
  ['/BatchExecute', { name: 'BatchExecuteStatement', operation: batchExecuteStatement }],
  ['/BeginTransaction', { name: 'BeginTransaction', operation: beginTransaction }],
  ['/CommitTransaction', { name: 'CommitTransaction', operation: commitTransaction }],
  ['/RollbackTransaction', { name: 'RollbackTransaction', operation: rollbackTransaction }],
]);

/** Where a call's traces go. */
export interface CallTools {
  readonly faults: FaultBox;
  readonly log: CallLog;
}

/** Serves one request: who asks, what breaks, the operation, the log, the answer. */
export async function serveCall(
  context: ServiceContext,
  { faults, log }: CallTools,
  request: LocalHttpRequest,
  response: ServerResponse,
): Promise<void> {
  let read: { readonly route: Route; readonly call: OperationCall };
  try {
    read = readCall(request);
  } catch (error) {
    write(response, errorAnswer(databaseError(error)));
    return;
  }
  const { route, call } = read;
  const started = performance.now();
  const sql = textOf(call.body, 'sql');
  const fault = faults.take({ operation: route.name, sql, accessKeyId: call.accessKeyId });
  const { answer, error } = await carryOut(context, route, call, fault);
  log.add({
    operation: route.name,
    accessKeyId: call.accessKeyId,
    invocationId: request.headers['amz-sdk-invocation-id'],
    attempt: Number(/attempt=(\d+)/u.exec(request.headers['amz-sdk-request'] ?? '')?.[1] ?? 1),
    resourceArn: textOf(call.body, 'resourceArn'),
    database: call.seen.database,
    transactionId: call.seen.transactionId ?? textOf(call.body, 'transactionId'),
    sql: sql?.slice(0, SQL_CHARACTERS_LOGGED),
    milliseconds: performance.now() - started,
    rows: call.seen.rows,
    error: error === undefined ? undefined : { name: error.name, sqlState: error.sqlState },
    fault: fault?.kind,
  });
  if (fault?.kind === 'hold-after') {
    fault.strike();
    await fault.released;
  }
  if (answer === undefined) response.destroy();
  else write(response, answer, fault);
}

function readCall(request: LocalHttpRequest): { readonly route: Route; readonly call: OperationCall } {
  if (request.path === '/ExecuteSql') {
    throw new ServiceError('BadRequestException', 'ExecuteSql is deprecated; use ExecuteStatement');
  }
  const route = ROUTES.get(request.path);
  if (route === undefined) throw new ServiceError('UnknownOperationException', 'There is no such operation');
  if (request.method !== 'POST') throw new ServiceError('MethodNotAllowedException', 'Only POST is answered');
  const accessKeyId = signedAccessKey(request.headers, 'rds-data');
  if (accessKeyId === undefined) {
    throw new ServiceError('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  // As the protocol of all such services has it: https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
  if (!/^application\/json *(?:;|$)/iu.test(request.headers['content-type'] ?? '')) {
    throw new ServiceError('UnsupportedMediaTypeException', 'The content type must be application/json');
  }
  if (request.headBytes + request.bodyBytes > LIMITS.requestBytes) {
    throw new ServiceError('RequestEntityTooLargeException', 'The request is larger than 4 MiB');
  }
  return { route, call: { accessKeyId, body: parseBody(request.body), seen: {} } };
}

interface Outcome {
  /** Undefined: the connection is cut. */
  readonly answer: Answer | undefined;
  readonly error: ServiceError | undefined;
}

/** The operation with its fault around it. A caller who has gone away changes nothing. */
async function carryOut(
  context: ServiceContext,
  { operation }: Route,
  call: OperationCall,
  fault: StrikingFault | undefined,
): Promise<Outcome> {
  if (fault === undefined) return perform(context, operation, call);
  if (fault.kind !== 'hold-after') fault.strike();
  if (fault.kind === 'drop-before') return { answer: undefined, error: undefined };
  const refused = refusal(fault, textOf(call.body, 'resourceArn') ?? '');
  if (refused !== undefined) return { answer: errorAnswer(refused), error: refused };
  if (fault.kind === 'hold-before') await fault.released;
  if (fault.kind === 'delay') {
    const { promise, resolve } = Promise.withResolvers<void>();
    context.clock.after(fault.delayMs, resolve);
    await promise;
  }
  const { answer, error } = await perform(context, operation, call);
  return { answer: answer === undefined ? undefined : afterFault(fault, answer), error };
}

async function perform(context: ServiceContext, operation: Operation, call: OperationCall): Promise<Outcome> {
  try {
    return { answer: { status: 200, body: await operation(context, call) }, error: undefined };
  } catch (thrown) {
    const error = databaseError(thrown);
    return { answer: errorAnswer(error), error };
  }
}

function textOf(body: JsonObject, member: string): string | undefined {
  const value = body[member];
  return typeof value === 'string' ? value : undefined;
}
