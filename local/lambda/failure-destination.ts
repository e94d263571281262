import type { DroppedEvent } from './event-queue.ts';

/**
 * The record that a failure destination gets for an event that was given up.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function failureRecord(
  { requestId, event, condition, attempts, outcome }: DroppedEvent,
  functionArn: string,
  nowMs: number,
): string {
  const payload: unknown = outcome === undefined ? undefined : JSON.parse(outcome.payload);
  const request: unknown = JSON.parse(event);
  return JSON.stringify({
    version: '1.0',
    timestamp: new Date(nowMs).toISOString(),
    requestContext: { requestId, functionArn, condition, approximateInvokeCount: attempts },
    requestPayload: request,
    ...(outcome === undefined
      ? {}
      : {
          responseContext: { statusCode: 200, functionError: outcome.functionError },
          responsePayload: payload,
        }),
  });
}
