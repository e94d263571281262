import { SECONDS } from './contract.ts';
import { putAnswer, type GateAnswer } from './gate/answer.ts';
import { decide } from './gate/decide.ts';
import { ageInSeconds, readRequest } from './gate/request.ts';

interface LambdaContext {
  readonly awsRequestId: string;
  getRemainingTimeInMillis(): number;
}

/**
 * The custom resource's function: speaks CloudFormation's protocol, asks the runner, and always answers. It holds no user
 * code, so it always loads; it alone knows the ResponseURL.
 */
export async function handler(event: unknown, context: LambdaContext): Promise<void> {
  const asked = readRequest(event);
  if (asked === null) return log('not a request of CloudFormation; nothing was done');
  const age = ageInSeconds(asked, Date.now());
  if (age !== null && age > SECONDS.serviceTimeout) {
    return log(
      `the request is ${Math.round(age)} s old, CloudFormation has given up on it; nothing was done`,
    );
  }
  log(`${asked.RequestType} of ${asked.LogicalResourceId}`);
  const answer = await answerOrFailure(() => decide(asked, context));
  log(`${answer.status}: ${answer.reason}`);
  await putAnswer(asked, answer);
}

/** Whatever goes wrong inside the gate itself becomes an answer too: silence would hold the stack for an hour. */
async function answerOrFailure(decision: () => Promise<GateAnswer>): Promise<GateAnswer> {
  try {
    return await decision();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return {
      status: 'FAILED',
      reason: `The gate met an error of its own: ${reason}. Look into the journal (action status) for what was applied, then deploy again.`,
      data: {},
    };
  }
}

function log(message: string): void {
  process.stdout.write(`${JSON.stringify({ gate: message })}\n`);
}
