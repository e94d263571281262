import { callAws, type HttpAnswer } from '../http.ts';

const TIMEOUT_MS = 5_000;
/** CloudFormation throttles `DescribeStacks` for seconds, not for minutes. */
const PATIENCE_MS = 45_000;
const LONGEST_PAUSE_MS = 8_000;

/**
 * Whether CloudFormation is rolling the stack back; null when it cannot be asked. Only this tells a rollback from an
 * older release that is deployed on purpose: both arrive as an Update to older properties.
 */
export async function isRollingBack(stackId: string, untilMs: number): Promise<boolean | null> {
  const status = await stackStatus(stackId, untilMs);
  return status === null ? null : status.includes('ROLLBACK');
}

/** The status of the own stack as CloudFormation tells it; null when it cannot be asked until then (milliseconds since 1970). */
export async function stackStatus(stackId: string, latestMs: number): Promise<string | null> {
  const untilMs = Math.min(latestMs, Date.now() + PATIENCE_MS);
  for (let waitMs = 250; Date.now() < untilMs; waitMs = Math.min(LONGEST_PAUSE_MS, waitMs * 2)) {
    const answer = await describe(stackId);
    const found = /<StackStatus>([A-Z_]+)<\/StackStatus>/.exec(answer?.body ?? '')?.[1];
    if (found !== undefined) return found;
    if (answer !== null && !isPassing(answer)) return null;
    await new Promise((wake) => setTimeout(wake, waitMs));
  }
  return null;
}

/** Null when no answer came. */
async function describe(stackId: string): Promise<HttpAnswer | null> {
  try {
    return await callAws({
      service: 'cloudformation',
      path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams({
        Action: 'DescribeStacks',
        Version: '2010-05-15',
        StackName: stackId,
      }).toString(),
      timeoutMs: TIMEOUT_MS,
    });
  } catch {
    return null;
  }
}

/** The service throttles with status 400 and says so in the body. */
const isPassing = ({ status, body }: HttpAnswer): boolean =>
  status >= 500 || status === 429 || /Throttl/.test(body);
