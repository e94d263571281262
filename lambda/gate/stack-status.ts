import { callAws } from './http.ts';

const TIMEOUT_MS = 5_000;
const ATTEMPTS = 3;

/**
 * Whether CloudFormation is rolling the stack back; null when it cannot be asked. Only this tells a rollback from an
 * older release that is deployed on purpose: both arrive as an Update to older properties.
 */
export async function isRollingBack(stackId: string): Promise<boolean | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      const { status, body } = await callAws({
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
      const stackStatus = /<StackStatus>([A-Z_]+)<\/StackStatus>/.exec(body)?.[1];
      if (status === 200 && stackStatus !== undefined) return stackStatus.includes('ROLLBACK');
      if (status < 500) return null;
    } catch {
      // The next attempt decides; no answer at all is an answer of its own.
    }
  }
  return null;
}
