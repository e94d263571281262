import { serviceTimeoutFor } from './contract.ts';
import { attributes } from './gate/answers.ts';
import { putAnswer, type GateAnswer } from './gate/answer.ts';
import { decide } from './gate/decide.ts';
import { readHandedOn } from './gate/handed-on.ts';
import { askedAt, readRequest, type GateRequest } from './gate/request.ts';
import { isRollingBack } from './gate/stack-status.ts';
import type { GateContext } from './gate/work.ts';
import { openLog, type Log } from './log.ts';

/** Before the process is ended, when no more attempt to answer makes sense. */
const LAST_MOMENT_MS = 2_000;

/**
 * The custom resource's function: speaks CloudFormation's protocol, asks the runner, and always answers. It holds no user
 * code, so it always loads; it alone knows the ResponseURL.
 */
export async function handler(event: unknown, context: GateContext): Promise<void> {
  const { awsRequestId, invokedFunctionArn } = context;
  const handedOn = readHandedOn(event);
  const asked = readRequest(handedOn === null ? event : handedOn.request);
  const log = openLog({
    function_request_id: awsRequestId,
    deployId: asked?.ResourceProperties.DeployId,
    gateRequestId: handedOn?.requestId ?? awsRequestId,
  });
  if (asked === null) return log.line('WARN', 'not a request of CloudFormation; nothing was done');
  const endMs = Date.now() + context.getRemainingTimeInMillis();
  const ageMs = Date.now() - (askedAt(asked) ?? Date.now());
  if (ageMs > serviceTimeoutFor(Number(asked.ResourceProperties.Timeout ?? 0)) * 1000) {
    return log.line(
      'WARN',
      `the request is ${Math.round(ageMs / 1000)} s old, CloudFormation has given up on it; nothing was done`,
    );
  }
  const part = handedOn === null ? '' : `, part ${handedOn.hop}`;
  log.line('INFO', `${asked.RequestType} of ${asked.LogicalResourceId}${part}`);
  const hearing: GateContext = {
    awsRequestId,
    invokedFunctionArn,
    getRemainingTimeInMillis: () => context.getRemainingTimeInMillis(),
    heard: ({ runId }) => log.append({ runId }),
  };
  const answer = await answerOrFailure(asked, endMs, () => decide(asked, hearing, handedOn));
  if (answer === null) return log.line('INFO', 'the worker goes on, and so does the gate, in its next part');
  log.line(answer.status === 'FAILED' ? 'ERROR' : 'INFO', `${answer.status}: ${answer.reason}`);
  measure(asked, answer, log);
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
function measure({ RequestType, ResourceProperties }: GateRequest, { status }: GateAnswer, log: Log): void {
  // arn:aws:lambda:<region>:<account>:function:<name>:<version>
  const runner = ResourceProperties.RunnerArn?.split(':')[6];
  if (RequestType === 'Delete' || runner === undefined) return;
  log.measure(runner, { DeployFailed: status === 'FAILED' ? 1 : 0 }, 'measured');
}
