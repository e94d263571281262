import type { GateAsk, RunnerAnswer } from '../contract.ts';
import { callAws, type HttpAnswer } from '../http.ts';
import { fieldsOf, refusalOf } from '../refusal.ts';

/** What became of an ask. */
export type Asked =
  | { readonly kind: 'answered'; readonly answer: RunnerAnswer }
  /** The runner's process ended without an answer: it could not load, ran out of memory or time. */
  | { readonly kind: 'crashed'; readonly message: string }
  /** Lambda did not start the runner, or its answer got lost and could not be had again in time. */
  | { readonly kind: 'unanswered'; readonly message: string; readonly started: boolean };

const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 8_000;

/**
 * Invokes the runner and waits for its answer. When the connection breaks, it is asked again under the same run key, with
 * the time that is left: the runner then waits for the live run or returns its stored end, so nothing runs twice.
 */
export async function askRunner(
  runnerArn: string,
  ask: (turn: number) => GateAsk,
  untilMs: number,
): Promise<Asked> {
  const beganMs = Date.now();
  let started = false;
  for (let turn = 0; ; turn += 1) {
    const outcome = await invokeOnce(runnerArn, ask(turn), Math.max(1_000, untilMs - Date.now()));
    if (outcome.kind !== 'again') return outcome;
    started ||= outcome.mayHaveStarted;
    const patienceUntil = Math.min(untilMs, beganMs + outcome.patienceMs);
    const waitMs = Math.min(LONGEST_PAUSE_MS, SHORTEST_PAUSE_MS * 2 ** turn) * (0.5 + Math.random() / 2);
    if (Date.now() + waitMs > patienceUntil) return { kind: 'unanswered', message: outcome.message, started };
    await new Promise((wake) => setTimeout(wake, waitMs));
  }
}

type Once =
  | Exclude<Asked, { kind: 'unanswered' }>
  | { readonly kind: 'unanswered'; readonly message: string; readonly started: false }
  | {
      readonly kind: 'again';
      readonly message: string;
      readonly mayHaveStarted: boolean;
      readonly patienceMs: number;
    };

async function invokeOnce(runnerArn: string, payload: GateAsk, timeoutMs: number): Promise<Once> {
  let answer: HttpAnswer;
  try {
    answer = await callAws({
      service: 'lambda',
      path: `/2015-03-31/functions/${encodeURIComponent(runnerArn)}/invocations`,
      headers: { 'content-type': 'application/json', 'x-amz-invocation-type': 'RequestResponse' },
      body: JSON.stringify(payload),
      timeoutMs,
    });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    return {
      kind: 'again',
      message: `the connection to the runner broke (${code})`,
      mayHaveStarted: true,
      patienceMs: Infinity,
    };
  }
  if (answer.status >= 500) {
    return {
      kind: 'again',
      message: `Lambda answered ${answer.status}`,
      mayHaveStarted: true,
      patienceMs: Infinity,
    };
  }
  if (answer.status !== 200) return refusal(answer);
  if (answer.headers['x-amz-function-error'] !== undefined)
    return { kind: 'crashed', message: crashText(answer.body) };
  return answered(answer.body);
}

/** Our own runner wrote it, of the version that the properties name. */
function answered(body: string): Once {
  try {
    const answer: unknown = JSON.parse(body);
    if (typeof answer !== 'object' || answer === null) {
      return { kind: 'crashed', message: 'the runner gave an answer that is not its own' };
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return { kind: 'answered', answer: answer as RunnerAnswer };
  } catch {
    return { kind: 'crashed', message: 'the runner gave an answer that is not JSON' };
  }
}

function refusal(answer: HttpAnswer): Once {
  const { text, passesInMs } = refusalOf(answer);
  const message = `Lambda refused to start the runner: ${text}`;
  return passesInMs === undefined
    ? { kind: 'unanswered', message, started: false }
    : { kind: 'again', message, mayHaveStarted: false, patienceMs: passesInMs };
}

/** Lambda's own words are told. Of an error that code threw only the kind: its message may quote a value, and stands in the runner's log. */
function crashText(body: string): string {
  const { errorType, errorMessage } = fieldsOf(body);
  const ownType = typeof errorType === 'string' && !LAMBDAS_OWN.test(errorType) ? errorType : undefined;
  const told = ownType ?? errorMessage;
  return `the runner ended without an answer${typeof told === 'string' ? `: ${told}` : ''}`;
}

/** Lambda gives a rejection that nobody caught a type of its own, with the message of the code. */
const LAMBDAS_OWN = /^(?:Function|Runtime|Sandbox)\.(?!UnhandledPromiseRejection)/;
