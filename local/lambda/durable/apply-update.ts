import type { Action, Operation, OperationStatus, OperationType, OperationUpdate } from './operation.ts';
import { invalid } from './read-updates.ts';

/** In which status an operation must be for an action; `none` stands for one that is not there yet. */
const ALLOWED: Record<OperationType, Partial<Record<Action, readonly (OperationStatus | 'none')[]>>> = {
  EXECUTION: { SUCCEED: ['STARTED'], FAIL: ['STARTED'] },
  CONTEXT: { START: ['none'], SUCCEED: ['none', 'STARTED'], FAIL: ['none', 'STARTED'] },
  STEP: {
    START: ['none', 'READY'],
    SUCCEED: ['none', 'STARTED', 'READY'],
    FAIL: ['none', 'STARTED', 'READY'],
    RETRY: ['none', 'STARTED', 'READY'],
  },
  WAIT: { START: ['none'], CANCEL: ['STARTED'] },
};

/** Limit of an error in a checkpoint, in bytes, as the SDK's own checkpoint server has it. */
const MAX_ERROR_BYTES = 32_768;

/**
 * What an operation is after an update, or a refusal. An SDK may report the end of an operation whose start it never
 * reported: that is how a step costs one checkpoint.
 */
export function applyUpdate(
  before: Operation | undefined,
  update: OperationUpdate,
  nowMs: number,
): Operation {
  refuseWrong(before, update);
  const base: Operation = before ?? {
    Id: update.Id,
    Type: update.Type,
    Status: 'STARTED',
    StartTimestamp: nowMs,
    ...(update.ParentId === undefined ? {} : { ParentId: update.ParentId }),
    ...(update.Name === undefined ? {} : { Name: update.Name }),
    ...(update.SubType === undefined ? {} : { SubType: update.SubType }),
  };
  return ended(withDetails(base, update, nowMs), update, nowMs);
}

function withDetails(operation: Operation, update: OperationUpdate, nowMs: number): Operation {
  if (operation.Type === 'STEP') {
    return { ...operation, ...stepAfter(operation, update, nowMs) };
  }
  if (operation.Type === 'WAIT' && update.Action === 'START') {
    const end = nowMs + (update.WaitSeconds ?? 0) * 1000;
    return { ...operation, WaitDetails: { ScheduledEndTimestamp: end } };
  }
  if (operation.Type === 'CONTEXT') {
    const replay = update.ReplayChildren ?? operation.ContextDetails?.ReplayChildren;
    return {
      ...operation,
      ContextDetails: { ...outcomeOf(update), ...(replay === undefined ? {} : { ReplayChildren: replay }) },
    };
  }
  return operation;
}

function stepAfter(
  { StepDetails = {} }: Operation,
  update: OperationUpdate,
  nowMs: number,
): Pick<Operation, 'Status' | 'StepDetails'> {
  const { Attempt = 0 } = StepDetails;
  if (update.Action === 'START') {
    // The state that a condition check left behind is what its next attempt begins with.
    const { Result } = StepDetails;
    return { Status: 'STARTED', StepDetails: { Attempt, ...(Result === undefined ? {} : { Result }) } };
  }
  const details = { Attempt: Attempt + 1, ...outcomeOf(update) };
  if (update.Action !== 'RETRY') {
    return { Status: 'STARTED', StepDetails: details };
  }
  const next = nowMs + (update.NextAttemptDelaySeconds ?? 0) * 1000;
  return { Status: 'PENDING', StepDetails: { ...details, NextAttemptTimestamp: next } };
}

function ended(operation: Operation, { Action: action }: OperationUpdate, nowMs: number): Operation {
  const statuses = { SUCCEED: 'SUCCEEDED', FAIL: 'FAILED', CANCEL: 'CANCELLED' } as const;
  return action === 'START' || action === 'RETRY'
    ? operation
    : { ...operation, Status: statuses[action], EndTimestamp: nowMs };
}

function outcomeOf({
  Payload,
  Error,
}: OperationUpdate): Pick<NonNullable<Operation['StepDetails']>, 'Result' | 'Error'> {
  return {
    ...(Payload === undefined ? {} : { Result: Payload }),
    ...(Error === undefined ? {} : { Error }),
  };
}

function refuseWrong(before: Operation | undefined, update: OperationUpdate): void {
  const { Type, Action: action, Id } = update;
  const allowed = ALLOWED[Type][action];
  if (allowed === undefined) {
    throw invalid(`${action} is no action of a ${Type} operation.`);
  }
  if (before !== undefined && before.Type !== Type) {
    throw invalid(`Operation ${Id} is a ${before.Type}, not a ${Type}.`);
  }
  const status = before?.Status ?? 'none';
  if (!allowed.includes(status)) {
    throw invalid(`Invalid current ${Type} state: ${action} of operation ${Id}, which is ${status}.`);
  }
  if (update.Payload !== undefined && update.Error !== undefined) {
    throw invalid(`Operation ${Id} cannot have a Payload and an Error.`);
  }
  if (update.Error !== undefined && Buffer.byteLength(JSON.stringify(update.Error)) > MAX_ERROR_BYTES) {
    throw invalid(`Error object size must be less than ${MAX_ERROR_BYTES} bytes.`);
  }
}
