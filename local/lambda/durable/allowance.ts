import type { OperationUpdate } from './operation.ts';
import { invalid } from './read-updates.ts';

/** What one execution may use up; neither can be raised. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const MAX_OPERATIONS = 3000;
const MAX_WRITTEN_BYTES = 100 * 1024 * 1024;

/** Counts what an execution uses up. A retry counts as an operation, and so does an invocation that is made again. */
export interface Allowance {
  /** Refuses updates that go beyond it; `isNew` tells an operation that was not there. */
  readonly take: (updates: readonly OperationUpdate[], isNew: (update: OperationUpdate) => boolean) => void;
  readonly takeRetry: () => void;
}

/** Starts with the execution's own operation and its input. */
export function createAllowance(input: string): Allowance {
  let operations = 1;
  let bytes = Buffer.byteLength(input);
  return {
    take(updates, isNew) {
      const first = new Set(updates.filter(isNew).map(({ Id }) => Id));
      const retries = updates.filter(({ Action: action }) => action === 'RETRY').length;
      const after = operations + first.size + retries;
      const bytesAfter = updates.reduce((sum, each) => sum + payloadBytes(each), bytes);
      if (after > MAX_OPERATIONS) {
        throw invalid(`A durable execution has at most ${MAX_OPERATIONS} operations, retries counted.`);
      }
      if (bytesAfter > MAX_WRITTEN_BYTES) {
        throw invalid(`A durable execution writes at most ${MAX_WRITTEN_BYTES} bytes of payload.`);
      }
      operations = after;
      bytes = bytesAfter;
    },
    takeRetry() {
      operations += 1;
    },
  };
}

function payloadBytes({ Payload = '', Error: error }: OperationUpdate): number {
  return Buffer.byteLength(Payload) + (error === undefined ? 0 : Buffer.byteLength(JSON.stringify(error)));
}
