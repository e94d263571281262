import { createAllowance } from './allowance.ts';
import { applyUpdate } from './apply-update.ts';
import type { Operation, OperationUpdate } from './operation.ts';
import { invalid } from './read-updates.ts';

/** The checkpointed operations of one execution, the execution's own first. */
export interface Operations {
  /** Takes all updates or none, and gives the operations that they changed. */
  readonly apply: (updates: readonly OperationUpdate[], nowMs: number) => readonly Operation[];
  /** Counts an invocation that is made again. */
  readonly countRetry: () => void;
  /** Puts an operation as a timer leaves it. */
  readonly put: (operation: Operation) => void;
  readonly get: (id: string) => Operation | undefined;
  /** What a replay needs: not the children of a context that has ended, unless it asks for them. */
  readonly forReplay: () => readonly Operation[];
  /** Whether a timer will go on with something. */
  readonly hasTimer: () => boolean;
}

/** Makes the operations of an execution that starts now. */
export function createOperations(executionId: string, input: string, nowMs: number): Operations {
  const all = new Map<string, Operation>([
    [
      executionId,
      {
        Id: executionId,
        Type: 'EXECUTION',
        Status: 'STARTED',
        StartTimestamp: nowMs,
        ExecutionDetails: { InputPayload: input },
      },
    ],
  ]);
  const allowance = createAllowance(input);
  return {
    apply(updates, nowMs) {
      const changed = new Map<string, Operation>();
      const find = (id: string): Operation | undefined => changed.get(id) ?? all.get(id);
      for (const [index, given] of updates.entries()) {
        // The SDK invents an id for it; there is only one execution.
        const update = given.Type === 'EXECUTION' ? { ...given, Id: executionId } : given;
        if (update.Type === 'EXECUTION' && index !== updates.length - 1) {
          throw invalid('EXECUTION checkpoint must be the last update.');
        }
        refuseParent(update, find);
        changed.set(update.Id, applyUpdate(find(update.Id), update, nowMs));
      }
      allowance.take(updates, ({ Id, Type }) => Type !== 'EXECUTION' && !all.has(Id));
      for (const [id, operation] of changed) {
        all.set(id, operation);
      }
      return [...changed.values()];
    },
    countRetry: allowance.takeRetry,
    put: (operation) => void all.set(operation.Id, operation),
    get: (id) => all.get(id),
    forReplay() {
      const left = new Set<string>();
      return [...all.values()].filter(({ Id, ParentId }) => {
        const parent = ParentId === undefined ? undefined : all.get(ParentId);
        const hidden =
          parent?.EndTimestamp !== undefined &&
          (parent.ContextDetails?.ReplayChildren !== true || left.has(parent.Id));
        if (hidden) {
          left.add(Id);
        }
        return !hidden;
      });
    },
    hasTimer: () =>
      [...all.values()].some(
        ({ Type, Status }) => Status === 'PENDING' || (Type === 'WAIT' && Status === 'STARTED'),
      ),
  };
}

function refuseParent({ Id, ParentId }: OperationUpdate, find: (id: string) => Operation | undefined): void {
  if (ParentId !== undefined && find(ParentId)?.Type !== 'CONTEXT') {
    throw invalid(`Invalid parent of operation ${Id}: ${ParentId} is no context of this execution.`);
  }
}
