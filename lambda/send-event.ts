import { RUN_EVENTS } from './contract.ts';
import { callAws } from './http.ts';
import type { RunEvent } from './run-event.ts';

/** Nobody waits longer for an event: the run is over, and its answer is due. Milliseconds, for one of two attempts. */
const TIMEOUT_MS = 2_000;

/**
 * Puts an event on a bus; null when it was taken, else why not. It never throws, because what it tells of has happened. A lost answer
 * may put it twice, as EventBridge itself may deliver it twice.
 */
export async function sendEvent(busArn: string, event: RunEvent): Promise<string | null> {
  const first = await putOnce(busArn, event);
  return first?.mayPass === true ? ((await putOnce(busArn, event))?.why ?? null) : (first?.why ?? null);
}

interface Refusal {
  readonly why: string;
  /** Whether another attempt makes sense. */
  readonly mayPass: boolean;
}

async function putOnce(busArn: string, { type, detail }: RunEvent): Promise<Refusal | null> {
  const entry = {
    Source: RUN_EVENTS.source,
    DetailType: type,
    Detail: JSON.stringify(detail),
    Resources: [detail.clusterArn],
    EventBusName: busArn,
  };
  try {
    const { status, body } = await callAws({
      service: 'events',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'AWSEvents.PutEvents' },
      body: JSON.stringify({ Entries: [entry] }),
      timeoutMs: TIMEOUT_MS,
    });
    const refused = status === 200 ? refusalIn(body) : body.slice(0, 300);
    if (refused === null) return null;
    return {
      why: `status ${status}: ${refused}`,
      mayPass: status >= 500 || /Throttl|Internal/.test(refused),
    };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'a broken connection';
    return { why: code, mayPass: true };
  }
}

/** The service takes a request and refuses its entries one by one. */
function refusalIn(body: string): string | null {
  const found = /"ErrorCode":"([^"]+)"/.exec(body)?.[1];
  return found ?? null;
}
