import { randomUUID } from 'node:crypto';
import { type Authorize, denial, signedAccessKey } from '../data-api/caller.ts';
import { type LocalHttpRequest, startHttpServer } from '../http-server.ts';

/** An event that was taken. */
export interface LocalEvent {
  readonly busArn: string;
  readonly source: string;
  readonly detailType: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

export interface EventBusOptions {
  /** Where a bus is that is only named. */
  readonly account: string;
  readonly region: string;
  /** Default: everybody may do everything. */
  readonly authorize?: Authorize;
  /** Default: a free one of 127.0.0.1. */
  readonly port?: number;
}

export interface LocalEventBus {
  /** For `AWS_ENDPOINT_URL_EVENTBRIDGE`. */
  readonly url: string;
  /** Every event that was taken, oldest first; no rule looks at them. */
  readonly events: readonly LocalEvent[];
  stop(): Promise<void>;
}

/**
 * Serves `PutEvents` of Amazon EventBridge and keeps what it gets.
 * https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
 */
export async function startEventBus(options: EventBusOptions): Promise<LocalEventBus> {
  const events: LocalEvent[] = [];
  const server = await startHttpServer(
    async (request, response) => {
      const { status, body } = serve(options, request, events);
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
  return { url: server.url, events, stop: async () => server.close() };
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const refusal = (name: string, message: string): Answer => ({
  status: 400,
  body: { __type: name, message },
});

/** The service takes at most this many entries a request. */
const MOST_ENTRIES = 10;

function serve(options: EventBusOptions, request: LocalHttpRequest, events: LocalEvent[]): Answer {
  const accessKeyId = signedAccessKey(request.headers, 'events');
  if (accessKeyId === undefined) {
    return refusal('MissingAuthenticationTokenException', 'Missing Authentication Token');
  }
  const target = request.headers['x-amz-target'] ?? '';
  if (target !== 'AWSEvents.PutEvents') return refusal('UnknownOperationException', `No operation ${target}`);
  const entries = entriesOf(request.body);
  if (entries === undefined || entries.length === 0 || entries.length > MOST_ENTRIES) {
    return refusal('ValidationException', `Entries must hold 1 to ${MOST_ENTRIES} entries`);
  }
  for (const { EventBusName = 'default' } of entries) {
    const resource = busArn(EventBusName, options);
    const reason = denial(options.authorize, { accessKeyId, action: 'events:PutEvents', resource });
    if (reason !== undefined) return refusal('AccessDeniedException', reason);
  }
  const answers = entries.map((entry) => take(entry, options, events));
  const failed = answers.filter((one) => 'ErrorCode' in one).length;
  return { status: 200, body: { FailedEntryCount: failed, Entries: answers } };
}

interface Entry {
  readonly Source?: unknown;
  readonly DetailType?: unknown;
  readonly Detail?: unknown;
  readonly Resources?: unknown;
  readonly EventBusName?: string;
}

/** An entry that is not whole is refused by itself, beside others that are taken. */
function take(entry: Entry, place: EventBusOptions, events: LocalEvent[]): Readonly<Record<string, string>> {
  const { Source: source, DetailType: detailType, Detail: detail, Resources: resources = [] } = entry;
  if (typeof source !== 'string' || source === '' || source.startsWith('aws.')) {
    return { ErrorCode: 'InvalidArgument', ErrorMessage: 'Parameter Source is not valid.' };
  }
  if (typeof detailType !== 'string' || detailType === '' || detailType.length > 128) {
    return { ErrorCode: 'InvalidArgument', ErrorMessage: 'Parameter DetailType is not valid.' };
  }
  const parsed = typeof detail === 'string' ? parse(detail) : undefined;
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  }
  events.push({
    busArn: busArn(entry.EventBusName ?? 'default', place),
    source,
    detailType,
    resources: Array.isArray(resources) ? resources.map(String) : [],
    detail: parsed,
  });
  return { EventId: randomUUID() };
}

const busArn = (
  nameOrArn: string,
  { account, region }: Pick<EventBusOptions, 'account' | 'region'>,
): string =>
  nameOrArn.startsWith('arn:') ? nameOrArn : `arn:aws:events:${region}:${account}:event-bus/${nameOrArn}`;

function entriesOf(body: Buffer): readonly Entry[] | undefined {
  const parsed = parse(body.toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null || !('Entries' in parsed)) return undefined;
  const { Entries: entries } = parsed;
  return Array.isArray(entries) && entries.every(isEntry) ? entries : undefined;
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  return !('EventBusName' in value) || typeof value.EventBusName === 'string';
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
