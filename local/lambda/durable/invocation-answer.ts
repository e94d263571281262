import type { Outcome } from '../invocation.ts';
import type { ErrorObject } from './operation.ts';
import { fieldsOf, readError } from './read-updates.ts';

/** What one invocation of a durable function came to. */
export type InvocationAnswer =
  | { readonly kind: 'succeeded'; readonly result?: string }
  | { readonly kind: 'failed'; readonly error: ErrorObject }
  | { readonly kind: 'suspended' }
  /** It threw, ran into its time-out, or its process left: to be invoked again. */
  | { readonly kind: 'broken' };

/** Reads the answer that the SDK gives in place of the handler's own result. */
export function readAnswer({ payload, functionError }: Outcome): InvocationAnswer {
  if (functionError !== undefined) {
    return { kind: 'broken' };
  }
  const answer = fieldsOf(JSON.parse(payload));
  const result = answer['Result'];
  switch (answer['Status']) {
    case 'SUCCEEDED':
      return { kind: 'succeeded', ...(typeof result === 'string' ? { result } : {}) };
    case 'FAILED':
      return { kind: 'failed', error: readError(answer['Error']) };
    case 'PENDING':
      return { kind: 'suspended' };
    default:
      return {
        kind: 'failed',
        error: {
          ErrorType: 'InvalidInvocationOutput',
          ErrorMessage: 'The function did not answer as a durable function: no Status in its output.',
        },
      };
  }
}
