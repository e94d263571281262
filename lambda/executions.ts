import { callAws, type HttpAnswer } from './http.ts';
import { fieldsOf, refusalOf } from './refusal.ts';

/**
 * The executions of the worker, a Lambda durable function. Signed by hand, as in the gate: the SDK's client for Lambda is larger than
 * all of ours. Paths and names: AWS Lambda API reference, `Invoke`, `GetDurableExecution`, `ListDurableExecutionsByFunction` and
 * `StopDurableExecution`.
 */

/** What became of a start. */
export type Started =
  | { readonly kind: 'started'; readonly arn: string }
  /** An execution of this name was begun with another input. */
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly message: string };

/** How an execution stands. */
export interface ExecutionView {
  readonly status: string;
  /** What the handler returned, as JSON. */
  readonly result: string | null;
  readonly error: string | null;
}

const CALL_MS = 15_000;
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 8_000;

/** Starts an execution once by its name: a second start with the same input finds the first. */
export async function startExecution(
  functionArn: string,
  name: string,
  input: string,
  untilMs: number,
): Promise<Started> {
  const answer = await patiently(untilMs, () =>
    callAws({
      service: 'lambda',
      path: `/2015-03-31/functions/${encodeURIComponent(functionArn)}/invocations`,
      headers: {
        'content-type': 'application/json',
        'x-amz-invocation-type': 'Event',
        'x-amz-durable-execution-name': name,
      },
      body: input,
      timeoutMs: CALL_MS,
    }),
  );
  if (typeof answer === 'string') return { kind: 'refused', message: answer };
  const arn = answer.headers['x-amz-durable-execution-arn'];
  if (answer.status === 202 && typeof arn === 'string') return { kind: 'started', arn };
  const refusal = refusalOf(answer);
  return refusal.name === 'DurableExecutionAlreadyStartedException'
    ? { kind: 'taken' }
    : { kind: 'refused', message: refusal.text };
}

/** How an execution stands; a text tells why that cannot be said. */
export async function readExecution(arn: string, untilMs: number): Promise<ExecutionView | string> {
  const answer = await patiently(untilMs, () =>
    callAws({ service: 'lambda', method: 'GET', path: pathOf(arn), timeoutMs: CALL_MS }),
  );
  if (typeof answer === 'string') return answer;
  if (answer.status !== 200) return refusalOf(answer).text;
  const { Status, Result, Error: error } = fieldsOf(answer.body);
  const message =
    typeof error === 'object' && error !== null && 'ErrorMessage' in error && error.ErrorMessage;
  return {
    status: String(Status),
    result: typeof Result === 'string' ? Result : null,
    error: typeof message === 'string' ? message : null,
  };
}

/** Stops every execution of one version that is under way; gives back how many, or why that could not be done. */
export async function stopExecutions(versionArn: string, untilMs: number): Promise<number | string> {
  // arn:aws:lambda:<region>:<account>:function:<name>:<version>
  const parts = versionArn.split(':');
  const query = new URLSearchParams({ Qualifier: parts[7] ?? '', Statuses: 'RUNNING' });
  const functionArn = encodeURIComponent(parts.slice(0, 7).join(':'));
  const listed = await patiently(untilMs, () =>
    callAws({
      service: 'lambda',
      method: 'GET',
      path: `/2025-12-01/functions/${functionArn}/durable-executions?${query.toString()}`,
      timeoutMs: CALL_MS,
    }),
  );
  if (typeof listed === 'string') return listed;
  if (listed.status !== 200) return refusalOf(listed).text;
  const { DurableExecutions: found } = fieldsOf(listed.body);
  const arns = (Array.isArray(found) ? found : []).flatMap((one: unknown) =>
    typeof one === 'object' && one !== null && 'DurableExecutionArn' in one
      ? String(one.DurableExecutionArn)
      : [],
  );
  for (const arn of arns) {
    const stopped = await patiently(untilMs, () =>
      callAws({
        service: 'lambda',
        path: `${pathOf(arn)}/stop`,
        headers: { 'content-type': 'application/json' },
        body: '{}',
        timeoutMs: CALL_MS,
      }),
    );
    if (typeof stopped === 'string') return stopped;
    if (stopped.status !== 200) return refusalOf(stopped).text;
  }
  return arns.length;
}

const pathOf = (arn: string): string => `/2025-12-01/durable-executions/${encodeURIComponent(arn)}`;

/**
 * Asks until an answer comes that will not change by waiting, also after an answer that got lost: a start has a name, and the rest
 * does no harm twice. Gives back why, when the time is over before.
 */
async function patiently(untilMs: number, call: () => Promise<HttpAnswer>): Promise<HttpAnswer | string> {
  const beganMs = Date.now();
  for (let turn = 0; ; turn += 1) {
    let patienceMs = Infinity;
    let reason: string;
    try {
      const answer = await call();
      const { text, passesInMs } = refusalOf(answer);
      if (answer.status < 500 && passesInMs === undefined) return answer;
      patienceMs = passesInMs ?? Infinity;
      reason = text;
    } catch (cause) {
      reason = `no answer came (${cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'})`;
    }
    const waitMs = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** turn) * (0.5 + Math.random() / 2);
    if (Date.now() + waitMs > Math.min(untilMs, beganMs + patienceMs)) return reason;
    await new Promise((wake) => setTimeout(wake, waitMs));
  }
}

/** A name for an execution, from a word that people know and the parts that make it the one it is. At most 64 characters (Lambda's limit). */
export async function executionName(word: string, ...parts: readonly string[]): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(parts)));
  const hash = Buffer.from(bytes).toString('hex').slice(0, 16);
  return `${word.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 40)}-${hash}`;
}
