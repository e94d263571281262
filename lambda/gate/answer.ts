import { MAX_ANSWER_BYTES, PHYSICAL_RESOURCE_ID } from '../contract.ts';
import { request } from '../http.ts';
import type { GateRequest } from './request.ts';

/** What the gate tells CloudFormation. */
export interface GateAnswer {
  readonly status: 'SUCCESS' | 'FAILED';
  readonly reason: string;
  /** Attributes of the resource, readable with Fn::GetAtt. */
  readonly data: Readonly<Record<string, string>>;
  /** What CloudFormation shall call the resource, where it has no id yet. */
  readonly physicalId?: string;
  /** True where the deploy goes on although the migrations after the app are not done. */
  readonly isLeftOver?: boolean;
}

const TIMEOUT_MS = 5_000;
const LONGEST_PAUSE_MS = 10_000;
/** So often in a row a refusal that waiting does not change is asked for. */
const MOST_REFUSALS = 3;

/** So many bytes of a reason are worth more than the rest of a long attribute. */
const LEAST_REASON_BYTES = 400;

/**
 * The body within CloudFormation's limit; a reason that does not fit is cut, never lost whole. Attributes are cut before that where
 * they leave it no room, and none is ever missing. The ids are CloudFormation's own, and come back as they are.
 */
export function answerBody(
  asked: GateRequest,
  { status, reason, data, physicalId = PHYSICAL_RESOURCE_ID }: GateAnswer,
): string {
  const bodyOf = (shown: string, attributes: GateAnswer['data']): string =>
    JSON.stringify({
      Status: status,
      Reason: shown,
      PhysicalResourceId: asked.PhysicalResourceId ?? physicalId,
      StackId: asked.StackId,
      RequestId: asked.RequestId,
      LogicalResourceId: asked.LogicalResourceId,
      Data: attributes,
    });
  const characters = Array.from(reason);
  const leastBytes = Math.min(LEAST_REASON_BYTES, Buffer.byteLength(JSON.stringify(reason)));
  let shownData = data;
  while (
    Buffer.byteLength(bodyOf('', shownData)) + leastBytes > MAX_ANSWER_BYTES &&
    Object.values(shownData).some((value) => value !== '')
  ) {
    shownData = withLongestHalved(shownData);
  }
  const bodyWith = (shown: string): string => bodyOf(shown, shownData);
  let body = bodyWith(reason);
  for (let keep = characters.length; keep > 0 && Buffer.byteLength(body) > MAX_ANSWER_BYTES;) {
    const excess = Buffer.byteLength(body) - MAX_ANSWER_BYTES;
    // A character may take six bytes in JSON, so a sixth of the excess never cuts too much.
    keep = Math.max(0, keep - Math.ceil(excess / 6));
    body = bodyWith(withoutMiddle(characters, keep));
  }
  return body;
}

function withLongestHalved(data: GateAnswer['data']): GateAnswer['data'] {
  const longest = Math.max(...Object.values(data).map(({ length }) => length));
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, value.length === longest ? halved(value) : value]),
  );
}

function halved(value: string): string {
  const characters = Array.from(value);
  return characters.slice(0, Math.floor(characters.length / 2)).join('');
}

/** The beginning says what happened, the end what to do: the middle goes. */
function withoutMiddle(characters: readonly string[], keep: number): string {
  const head = Math.ceil(keep * 0.6);
  const tail = characters.slice(characters.length - (keep - head));
  return [...characters.slice(0, head), ' … ', ...tail].join('');
}

/** Puts the answer until it is taken or the time is up. The URL takes the same body twice without harm. */
export async function putAnswer(asked: GateRequest, answer: GateAnswer, untilMs: number): Promise<void> {
  const body = answerBody(asked, answer);
  const url = new URL(asked.ResponseURL);
  const headers = { 'content-type': '', 'content-length': String(Buffer.byteLength(body)) };
  let last = 'no attempt was made';
  let refusals = 0;
  for (let waitMs = 100; Date.now() < untilMs; waitMs = Math.min(LONGEST_PAUSE_MS, waitMs * 2)) {
    try {
      const timeoutMs = Math.min(TIMEOUT_MS, Math.max(1, untilMs - Date.now()));
      const { status } = await request({ url, method: 'PUT', headers, body, timeoutMs });
      if (status >= 200 && status < 300) return;
      last = `status ${status}`;
      refusals = isFinal(status) ? refusals + 1 : 0;
      if (refusals === MOST_REFUSALS) break;
    } catch (cause) {
      last = cause instanceof Error && 'code' in cause ? String(cause.code) : 'a broken connection';
    }
    await new Promise((wake) => setTimeout(wake, waitMs));
  }
  throw new AnswerNotDelivered(last);
}

/** An expired URL gets 403. S3 says 400 also for what passes: a body that it was too slow to read. */
const isFinal = (status: number): boolean =>
  status >= 401 && status < 500 && status !== 408 && status !== 429;

/**
 * Thrown out of the handler on purpose: where the event is young enough, Lambda hands it in again, and the stored outcome
 * is put once more.
 */
class AnswerNotDelivered extends Error {
  override readonly name = 'AnswerNotDelivered';
  constructor(last: string) {
    super(`CloudFormation did not take the answer (${last})`);
  }
}
