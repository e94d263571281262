/** What the host and the bootstrap inside a function's process say to each other. */

/** Argument of the bootstrap: the cache of compiled modules is the host's, and none of the function's own business. */
export const HIDING_CACHE = 'hiding-cache';

/** An error in the form in which the Node.js runtime reports it. */
export interface RuntimeFailure {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

/** Facts of the context object that differ from one invocation to the next. */
export interface InvokeMessage {
  readonly requestId: string;
  /** JSON text. */
  readonly event: string;
  readonly invokedFunctionArn: string;
  /** Moment of the time-out, in milliseconds since 1970. */
  readonly deadlineMs: number;
}

export type RuntimeMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'init-failed'; readonly failure: RuntimeFailure }
  | { readonly kind: 'done'; readonly requestId: string; readonly payload: string }
  | { readonly kind: 'failed'; readonly requestId: string; readonly failure: RuntimeFailure }
  /** The process is about to leave. */
  | { readonly kind: 'crashed'; readonly requestId: string; readonly failure: RuntimeFailure };

/** Written to both streams after an invocation, so that the host knows that it has seen every line of it. */
export function endMark(requestId: string): string {
  return `\u0000end:${requestId}`;
}
