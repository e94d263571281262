import { randomUUID } from 'node:crypto';

import type { HttpReply } from './http-endpoint.ts';
import type { LambdaServiceError } from './service-error.ts';

/** An answer of the Lambda API. */
export function json(
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return {
    status,
    headers: { 'content-type': 'application/json', 'x-amzn-requestid': randomUUID(), ...headers },
    body: JSON.stringify(value),
  };
}

/** A refusal of the Lambda API. */
export function refuse({ code, message, status }: LambdaServiceError): HttpReply {
  return json(status, { Type: 'User', Message: message, message }, { 'x-amzn-errortype': code });
}
