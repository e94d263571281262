import type { HttpReply } from '../http-endpoint.ts';
import { failed, type Outcome } from '../invocation.ts';
import type { ExecutionState } from './execution.ts';
import type { Executions, StartRequest } from './executions.ts';
import { invalid } from './read-updates.ts';

/** A caller waits fifteen minutes at most, so an execution that may take longer is not begun for one who waits. */
const MAX_SYNC_SECONDS = 900;

/** Invoke, of a durable function: an execution begins, or the one of that name goes on. */
export async function invokeDurable(
  executions: Executions,
  mode: 'Event' | 'RequestResponse',
  request: StartRequest,
  requestId: string,
): Promise<HttpReply> {
  if (mode === 'RequestResponse') {
    refuseLong(request);
  }
  const { arn, version, execution } = executions.start(request);
  const headers = { 'x-amzn-requestid': requestId, 'x-amz-durable-execution-arn': arn };
  if (mode === 'Event') {
    return { status: 202, headers };
  }
  await execution.ended;
  const { payload, functionError } = outcomeOf(execution.state());
  return {
    status: 200,
    headers: {
      ...headers,
      'content-type': 'application/json',
      'x-amz-executed-version': version,
      ...(functionError === undefined ? {} : { 'x-amz-function-error': functionError }),
    },
    body: payload,
  };
}

/** The end of an execution as the answer to whoever waited for it. */
export function outcomeOf({ status, result, error }: ExecutionState): Outcome {
  return status === 'SUCCEEDED'
    ? { payload: result ?? 'null' }
    : failed({
        errorType: error?.ErrorType ?? `DurableExecution.${status}`,
        errorMessage: error?.ErrorMessage ?? `The durable execution ended as ${status}.`,
        ...(error?.StackTrace === undefined ? {} : { trace: error.StackTrace }),
      });
}

function refuseLong({ target }: StartRequest): void {
  const { executionTimeoutSeconds = 0 } = target.version.settings.durable ?? {};
  if (executionTimeoutSeconds > MAX_SYNC_SECONDS) {
    throw invalid(
      'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
    );
  }
}
