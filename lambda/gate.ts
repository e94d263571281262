import { UNDO_RESOURCE_TYPE } from './contract.ts';
import { attributes, failed, success } from './gate/answers.ts';
import { afterFailed, isAfterApp, spareLiveApp } from './gate/after-app.ts';
import { putAnswer, type GateAnswer } from './gate/answer.ts';
import { decide } from './gate/decide.ts';
import { readHandedOn } from './gate/handed-on.ts';
import { readRequest, type GateRequest } from './gate/request.ts';
import { placeOf } from './gate/place-of.ts';
import { isRollingBack } from './gate/stack-status.ts';
import { patienceEnd, type GateContext } from './gate/work.ts';
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
    deployId: textOf(asked?.ResourceProperties.DeployId),
    gateRequestId: handedOn?.requestId ?? awsRequestId,
  });
  if (asked === null) return log.line('WARN', 'not a request of CloudFormation; nothing was done');
  const endMs = Date.now() + context.getRemainingTimeInMillis();
  const lateMs = Date.now() - patienceEnd(asked);
  if (lateMs > 0) {
    return log.line(
      'WARN',
      `CloudFormation has given up on this request ${Math.round(lateMs / 1000)} s ago; nothing was done`,
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
  const decided = await answerOrFailure(asked, endMs, () => decide(asked, hearing, handedOn));
  if (decided === null) return log.line('INFO', 'the worker goes on, and so does the gate, in its next part');
  const answer = spareLiveApp(asked, decided);
  log.line(answer.status === 'FAILED' ? 'ERROR' : 'INFO', `${answer.status}: ${answer.reason}`);
  measure(asked, answer, log);
  await putAnswer(asked, answer, endMs - LAST_MOMENT_MS);
}

/**
 * Whatever goes wrong inside the gate itself becomes an answer too: silence would hold the stack for an hour. What takes something
 * back is never failed by it. An Update of which nobody can say whether it does is failed: a success could let a new app go live
 * without its migrations.
 */
async function answerOrFailure(
  asked: GateRequest,
  endMs: number,
  decision: () => Promise<GateAnswer | null>,
): Promise<GateAnswer | null> {
  try {
    return await decision();
  } catch (cause) {
    const what = `The gate met an error of its own (${placeOf(cause)}).`;
    const { RequestType, ResourceType, ResourceProperties, StackId } = asked;
    if (RequestType === 'Delete' || ResourceType === UNDO_RESOURCE_TYPE) {
      return success(`${what} What was not taken back by then is kept.`, {});
    }
    const untilMs = endMs - LAST_MOMENT_MS * 2;
    if (RequestType === 'Update' && (await isRollingBack(StackId, untilMs)) === true) {
      return success(
        `${what} The rollback goes on; the database is kept as it is.`,
        attributes(ResourceProperties),
      );
    }
    return failed(
      what,
      'Whether migrations were applied is not known here; the journal knows (action status).',
      'Deploy again.',
    );
  }
}

/** Also tells of deploys that fail before the runner can measure anything. Nothing in it throws: the answer comes after it. */
function measure({ RequestType, ResourceProperties }: GateRequest, answer: GateAnswer, log: Log): void {
  // arn:aws:lambda:<region>:<account>:function:<name>:<version>
  const runner = textOf(ResourceProperties.RunnerArn)?.split(':')[6];
  if (RequestType === 'Delete' || runner === undefined) return;
  const failed = answer.status === 'FAILED' ? 1 : 0;
  const after = isAfterApp(ResourceProperties) ? afterFailed(answer) : {};
  log.measure(runner, { DeployFailed: failed, ...after }, 'measured');
}

const textOf = (given: unknown): string | undefined => (typeof given === 'string' ? given : undefined);
