import { attributes } from './gate/answers.ts';
import { putAnswer, type GateAnswer } from './gate/answer.ts';
import { decide } from './gate/decide.ts';
import { readHandedOn } from './gate/handed-on.ts';
import { readRequest, type GateRequest } from './gate/request.ts';
import { isRollingBack } from './gate/stack-status.ts';
import { patienceEnd, type GateContext } from './gate/work.ts';
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
  const lateMs = Date.now() - patienceEnd(asked);
  if (lateMs > 0) {
    return log(
      `CloudFormation has given up on this request ${Math.round(lateMs / 1000)} s ago; nothing was done`,
    );
  }
  const part = handedOn === null ? '' : `, part ${handedOn.hop}`;
  log(`${asked.RequestType} of ${asked.LogicalResourceId}${part}`);
  const answer = await answerOrFailure(asked, endMs, () => decide(asked, context, handedOn));
  if (answer === null) return log('the worker goes on, and so does the gate, in its next part');
  log(`${answer.status}: ${answer.reason}`);
  try {
    await putAnswer(asked, answer, endMs - LAST_MOMENT_MS);
  } finally {
    measure(asked, answer);
  }
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
function measure({ RequestType, ResourceProperties }: GateRequest, { status }: GateAnswer): void {
  // arn:aws:lambda:<region>:<account>:function:<name>:<version>
  const { RunnerArn } = ResourceProperties;
  const runner = typeof RunnerArn === 'string' ? RunnerArn.split(':')[6] : undefined;
  if (RequestType === 'Delete' || runner === undefined) return;
  write(metricLine(runner, { DeployFailed: status === 'FAILED' ? 1 : 0 }, Date.now()));
}

const log = (message: string): void => write({ gate: message });

function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
