import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { resuming } from './clusters.ts';
import type { FaultKind, StrikingFault } from './faults.ts';
import { ServiceError } from './service-error.ts';

/** What the service has to say. */
export interface Answer {
  readonly status: number;
  readonly errorType?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export function errorAnswer(error: ServiceError): Answer {
  return { status: error.status, errorType: error.name, body: error.body };
}

const SKEW_MS = 600_000;

/** Writes an answer with the headers the SDK reads. */
export function write(response: ServerResponse, answer: Answer, fault?: StrikingFault): void {
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': randomUUID(),
    ...(answer.errorType === undefined ? {} : { 'x-amzn-errortype': answer.errorType }),
    ...(fault?.kind === 'skewed-date' ? { date: new Date(Date.now() + SKEW_MS).toUTCString() } : {}),
  });
  if (fault?.kind === 'half-body') {
    response.write(text.slice(0, text.length / 2), () => response.destroy());
    return;
  }
  response.end(text);
}

/** What is answered in place of what the call came to. */
const REPLACEMENTS: ReadonlyMap<FaultKind, Answer> = new Map<FaultKind, Answer>([
  ['status-500', errorAnswer(new ServiceError('InternalServerErrorException', ''))],
  // Of a proxy in between: it knows nothing of the service's errors.
  ['status-502', { status: 502, body: {} }],
  ['status-503', errorAnswer(new ServiceError('ServiceUnavailableError', ''))],
  ['status-504', errorAnswer(new ServiceError('DatabaseUnavailableException', ''))],
  [
    'sql-exception',
    errorAnswer(new ServiceError('DatabaseErrorException', 'Database returned SQL Exception')),
  ],
]);

/** What a fault makes of an answer; undefined where the connection is to be cut instead. */
export function afterFault({ kind }: StrikingFault, answer: Answer): Answer | undefined {
  return kind === 'drop-after' ? undefined : (REPLACEMENTS.get(kind) ?? answer);
}

/** The refusal of a fault that lets nothing run; undefined for the others. */
export function refusal({ kind }: StrikingFault, resourceArn: string): ServiceError | undefined {
  if (kind === 'throttle') return new ServiceError('ThrottlingException', 'Rate exceeded');
  if (kind === 'unavailable') return new ServiceError('DatabaseUnavailableException', '');
  if (kind === 'resuming') return resuming(resourceArn);
  if (kind !== 'secret-rotated') return undefined;
  const message = 'FATAL: password authentication failed; SQLState: 28P01';
  return new ServiceError('DatabaseErrorException', message, { sqlState: '28P01' });
}
