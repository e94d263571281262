import type { RuntimeFailure } from './messages.ts';

/** One call of a function, as its process gets to know it. */
export interface Invocation {
  readonly requestId: string;
  /** JSON text. */
  readonly event: string;
  readonly invokedFunctionArn: string;
}

/** How a call of a function ended, in the words of the Invoke API. */
export interface Outcome {
  /** JSON text: the handler's result, or the description of its failure. */
  readonly payload: string;
  /** Present when the function failed; Lambda knows no other value for managed runtimes. */
  readonly functionError?: 'Unhandled';
}

/** Limit of a synchronous request and of its answer, in bytes. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const MAX_SYNC_BYTES = 6_291_456;

/** Limit of an event for an asynchronous invocation, in bytes: 1 MB since October 2025. */
export const MAX_EVENT_BYTES = 1_048_576;

/** The handler's result, unless Lambda would not carry it. */
export function succeeded(payload: string): Outcome {
  return Buffer.byteLength(payload) > MAX_SYNC_BYTES
    ? failed({
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: `Response payload size exceeded maximum allowed payload size (${MAX_SYNC_BYTES} bytes).`,
      })
    : { payload };
}

/** An error that the runtime caught and described. */
export function failed(failure: RuntimeFailure): Outcome {
  return { payload: JSON.stringify(failure), functionError: 'Unhandled' };
}

/** The function did not end within its time-out. */
export function timedOut(requestId: string, timeoutSeconds: number): Outcome {
  return failed({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
  });
}

/** The process left without an answer: `process.exit`, a crash, or no memory. */
export function exited(requestId: string, exit: Exit): Outcome {
  return failed({
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: ${exitText(exit)}`,
  });
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** As Go's runtime, in which Lambda's supervisor is written, names them. */
const SIGNAL_NAMES = new Map<NodeJS.Signals, string>([
  ['SIGKILL', 'killed'],
  ['SIGABRT', 'aborted'],
  ['SIGTERM', 'terminated'],
  ['SIGSEGV', 'segmentation fault'],
]);

function exitText({ code, signal }: Exit): string {
  if (signal !== null) {
    return `Runtime exited with error: signal: ${SIGNAL_NAMES.get(signal) ?? signal}`;
  }
  return code === 0
    ? 'Runtime exited without providing a reason'
    : `Runtime exited with error: exit status ${code ?? 'unknown'}`;
}
