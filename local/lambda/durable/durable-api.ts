import { admit, type Authorize } from '../admission.ts';
import { json } from '../api-reply.ts';
import type { Functions } from '../functions.ts';
import type { HttpReply, HttpRequest } from '../http-endpoint.ts';
import { LambdaServiceError } from '../service-error.ts';
import type { Executions, KnownExecution } from './executions.ts';
import { inAnswer } from './operation.ts';
import { fieldsOf, invalid, readError, readUpdates } from './read-updates.ts';
import { MAX_PAGE_OPERATIONS } from './state-pages.ts';

export interface DurableApiOptions {
  readonly functions: Functions;
  readonly executions: Executions;
  readonly authorize?: Authorize | undefined;
}

const EXECUTION = /^\/2025-12-01\/durable-executions\/([^/]+)(?:\/(checkpoint|state|stop))?$/;
const LIST = /^\/2025-12-01\/functions\/([^/]+)\/durable-executions$/;

const ACTIONS = new Map([
  ['POST checkpoint', 'lambda:CheckpointDurableExecution'],
  ['GET state', 'lambda:GetDurableExecutionState'],
  ['POST stop', 'lambda:StopDurableExecution'],
  ['GET ', 'lambda:GetDurableExecution'],
]);

/** Whether a request belongs to the part of the API that came with durable functions. */
export function isDurableRequest({ url }: HttpRequest): boolean {
  return url.pathname.startsWith('/2025-12-01/');
}

/**
 * The API of durable executions, for the SDK inside the function and for whoever watches from outside.
 * https://docs.aws.amazon.com/lambda/latest/api/API_CheckpointDurableExecution.html and its neighbours
 */
export async function answerDurable(options: DurableApiOptions, request: HttpRequest): Promise<HttpReply> {
  const { pathname } = request.url;
  const [, functionName] = LIST.exec(pathname) ?? [];
  if (functionName !== undefined && request.method === 'GET') {
    return await list(options, request, decodeURIComponent(functionName));
  }
  const [, label = '', part = ''] = EXECUTION.exec(pathname) ?? [];
  const arn = decodeURIComponent(label);
  const action = ACTIONS.get(`${request.method} ${part}`);
  if (arn === '' || action === undefined) {
    throw new LambdaServiceError(
      'UnknownOperationException',
      `The local Lambda does not play ${request.method} ${pathname}.`,
    );
  }
  await admit(options.authorize, request.headers, action, arn);
  const known = options.executions.get(arn);
  switch (part) {
    case 'checkpoint':
      return checkpoint(known, bodyOf(request));
    case 'state':
      return state(known, request.url.searchParams);
    case 'stop':
      return stop(known, request);
    default:
      return describe(known, request.url.searchParams.get('IncludeExecutionData') !== 'false');
  }
}

function checkpoint({ execution }: KnownExecution, body: Readonly<Record<string, unknown>>): HttpReply {
  const { CheckpointToken: token, ClientToken: clientToken } = body;
  const answer = execution.checkpoint({
    token: typeof token === 'string' ? token : '',
    clientToken: typeof clientToken === 'string' ? clientToken : undefined,
    updates: readUpdates(body['Updates']),
  });
  return json(200, {
    CheckpointToken: answer.token,
    NewExecutionState: { Operations: answer.changed.map(inAnswer) },
  });
}

function state({ execution }: KnownExecution, query: URLSearchParams): HttpReply {
  const page = execution.read(
    query.get('CheckpointToken') ?? '',
    query.get('Marker') ?? undefined,
    itemsOf(query, MAX_PAGE_OPERATIONS),
  );
  return json(200, { Operations: page.operations.map(inAnswer), NextMarker: page.nextMarker });
}

function stop({ execution }: KnownExecution, request: HttpRequest): HttpReply {
  const error = request.body.length === 0 ? undefined : readError(bodyOf(request));
  const { endedAt = 0 } = execution.stop(error);
  return json(200, { StopTimestamp: endedAt / 1000 });
}

function describe(known: KnownExecution, withData: boolean): HttpReply {
  const { result, error } = known.execution.state();
  return json(200, {
    ...summary(known),
    Version: known.version,
    ExecutionDataIncluded: withData,
    DurableConfig: {
      ExecutionTimeout: known.settings.executionTimeoutSeconds,
      RetentionPeriodInDays: known.settings.retentionDays,
    },
    ...(withData ? { InputPayload: known.input, Result: result, Error: error } : {}),
  });
}

async function list(options: DurableApiOptions, request: HttpRequest, name: string): Promise<HttpReply> {
  const query = request.url.searchParams;
  const qualifier = query.get('Qualifier') ?? undefined;
  const { functions, executions } = options;
  await admit(
    options.authorize,
    request.headers,
    'lambda:ListDurableExecutionsByFunction',
    functions.arnOf(name, qualifier),
  );
  // Without a qualifier the API speaks of all versions.
  const { version } = functions.resolve(name, qualifier);
  const statuses = query.getAll('Statuses');
  const part = query.get('DurableExecutionName') ?? '';
  const [after, before] = [query.get('StartedAfter'), query.get('StartedBefore')];
  const found = executions.list(version.name).filter((each) => {
    const { status, startedAt } = each.execution.state();
    return (
      (qualifier === undefined || each.version === version.version) &&
      each.name.includes(part) &&
      (statuses.length === 0 || statuses.includes(status)) &&
      (after === null || startedAt > Date.parse(after)) &&
      (before === null || startedAt < Date.parse(before))
    );
  });
  const ordered = query.get('ReverseOrder') === 'true' ? found.toReversed() : found;
  const start = Number(query.get('Marker') ?? 0);
  const end = start + itemsOf(query, 100);
  return json(200, {
    DurableExecutions: ordered.slice(start, end).map(summary),
    ...(end < ordered.length ? { NextMarker: String(end) } : {}),
  });
}

function summary({ arn, name, functionArn, execution }: KnownExecution): Readonly<Record<string, unknown>> {
  const { status, startedAt, endedAt } = execution.state();
  return {
    DurableExecutionArn: arn,
    DurableExecutionName: name,
    FunctionArn: functionArn,
    Status: status,
    StartTimestamp: startedAt / 1000,
    ...(endedAt === undefined ? {} : { EndTimestamp: endedAt / 1000 }),
  };
}

/** 0 asks for the default. */
function itemsOf(query: URLSearchParams, standard: number): number {
  const items = Number(query.get('MaxItems') ?? 0);
  return items > 0 && items <= MAX_PAGE_OPERATIONS ? items : standard;
}

function bodyOf({ body }: HttpRequest): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(body.toString('utf8')));
  } catch {
    throw invalid('Could not parse request body into json');
  }
}
