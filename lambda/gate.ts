import { serviceTimeoutFor } from './contract.ts';
import { attributes } from './gate/answers.ts';
import { afterFailed, isAfterApp, spareLiveApp } from './gate/after-app.ts';
import { putAnswer, type GateAnswer } from './gate/answer.ts';
import { decide } from './gate/decide.ts';
import { readHandedOn } from './gate/handed-on.ts';
import { askedAt, readRequest, type GateRequest } from './gate/request.ts';
import { isRollingBack } from './gate/stack-status.ts';
import type { GateContext } from './gate/work.ts';
import { metricLine } from './metric-line.ts';

/** Before the process is ended, when no more attempt to answer makes sense. */
const LAST_MOMENT_MS = 2_000;

/**
 * The custom resource's function: speaks CloudFormation's protocol, asks the runner, and always answers. It holds no user
 * code, so it always loads; it alone knows the ResponseURL.
 */
export async function handler(event: unknown, context: GateContext): Promise<void> {
  const handedOn = readHandedOn(event);
  const asked = readRequest(handedOn === null ? event : handedOn.request);
  if (asked === null) return log('not a request of CloudFormation; nothing was done');
  const endMs = Date.now() + context.getRemainingTimeInMillis();
  const ageMs = Date.now() - (askedAt(asked) ?? Date.now());
  if (ageMs > serviceTimeoutFor(Number(asked.ResourceProperties.Timeout ?? 0)) * 1000) {
    return log(
      `the request is ${Math.round(ageMs / 1000)} s old, CloudFormation has given up on it; nothing was done`,
    );
  }
  const part = handedOn === null ? '' : `, part ${handedOn.hop}`;
  log(`${asked.RequestType} of ${asked.LogicalResourceId}${part}`);
  const decided = await answerOrFailure(asked, endMs, () => decide(asked, context, handedOn));
  if (decided === null) return log('the worker goes on, and so does the gate, in its next part');
  const answer = spareLiveApp(asked, decided);
  log(`${answer.status}: ${answer.reason}`);
  measure(asked, answer);
  await putAnswer(asked, answer, endMs - LAST_MOMENT_MS);
}

/** Whatever goes wrong inside the gate itself becomes an answer too: silence would hold the stack for an hour. */
async function answerOrFailure(
  asked: GateRequest,
  endMs: number,
  decision: () => Promise<GateAnswer | null>,
): Promise<GateAnswer | null> {
  try {
    return await decision();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const untilMs = endMs - LAST_MOMENT_MS * 2;
    if (asked.RequestType === 'Update' && (await isRollingBack(asked.StackId, untilMs)) === true) {
      return {
        status: 'SUCCESS',
        reason: `Rolled back; the gate met an error of its own: ${reason}.`,
        data: attributes(asked.ResourceProperties),
      };
    }
    return {
      status: 'FAILED',
      reason: `The gate met an error of its own: ${reason}. Whether migrations were applied is not known here; the journal knows (action status). Deploy again.`,
      data: {},
    };
  }
}

/** Also tells of deploys that fail before the runner can measure anything. */
function measure({ RequestType, ResourceProperties }: GateRequest, answer: GateAnswer): void {
  // arn:aws:lambda:<region>:<account>:function:<name>:<version>
  const runner = ResourceProperties.RunnerArn?.split(':')[6];
  if (RequestType === 'Delete' || runner === undefined) return;
  const failed = answer.status === 'FAILED' ? 1 : 0;
  const after = isAfterApp(ResourceProperties) ? afterFailed(answer) : {};
  write(metricLine(runner, { DeployFailed: failed, ...after }, Date.now()));
}

const log = (message: string): void => write({ gate: message });

function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
