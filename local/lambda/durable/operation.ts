/** An error as the durable execution API carries it. */
export interface ErrorObject {
  readonly ErrorMessage?: string;
  readonly ErrorType?: string;
  readonly ErrorData?: string;
  readonly StackTrace?: readonly string[];
}

export type OperationStatus = 'STARTED' | 'PENDING' | 'READY' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** One durable operation as it was last checkpointed: the names of the API, moments in milliseconds since 1970. */
export interface Operation {
  readonly Id: string;
  readonly Type: OperationType;
  readonly Status: OperationStatus;
  readonly StartTimestamp: number;
  readonly EndTimestamp?: number;
  readonly ParentId?: string;
  readonly Name?: string;
  readonly SubType?: string;
  readonly ExecutionDetails?: { readonly InputPayload: string };
  readonly ContextDetails?: {
    readonly ReplayChildren?: boolean;
    readonly Result?: string;
    readonly Error?: ErrorObject;
  };
  readonly StepDetails?: {
    /** Attempts that have ended. */
    readonly Attempt?: number;
    readonly NextAttemptTimestamp?: number;
    readonly Result?: string;
    readonly Error?: ErrorObject;
  };
  readonly WaitDetails?: { readonly ScheduledEndTimestamp: number };
}

export const OPERATION_TYPES = ['EXECUTION', 'CONTEXT', 'STEP', 'WAIT'] as const;
export type OperationType = (typeof OPERATION_TYPES)[number];

export const ACTIONS = ['START', 'SUCCEED', 'FAIL', 'RETRY', 'CANCEL'] as const;
export type Action = (typeof ACTIONS)[number];

/** One change that a checkpoint asks for. */
export interface OperationUpdate {
  readonly Id: string;
  readonly Type: OperationType;
  readonly Action: Action;
  readonly ParentId?: string;
  readonly Name?: string;
  readonly SubType?: string;
  readonly Payload?: string;
  readonly Error?: ErrorObject;
  readonly ReplayChildren?: boolean;
  readonly NextAttemptDelaySeconds?: number;
  readonly WaitSeconds?: number;
}

/** For an invocation's event, which holds moments as ISO text. */
export function inEvent(operation: Operation): unknown {
  return rendered(operation, (ms) => new Date(ms).toISOString());
}

/** For an answer of the API, which holds moments as seconds since 1970. */
export function inAnswer(operation: Operation): unknown {
  return rendered(operation, (ms) => ms / 1000);
}

function rendered(operation: Operation, moment: (ms: number) => unknown): unknown {
  const { StartTimestamp, EndTimestamp, StepDetails, WaitDetails } = operation;
  const next = StepDetails?.NextAttemptTimestamp;
  return {
    ...operation,
    StartTimestamp: moment(StartTimestamp),
    ...(EndTimestamp === undefined ? {} : { EndTimestamp: moment(EndTimestamp) }),
    ...(StepDetails === undefined
      ? {}
      : {
          StepDetails: {
            ...StepDetails,
            ...(next === undefined ? {} : { NextAttemptTimestamp: moment(next) }),
          },
        }),
    ...(WaitDetails === undefined
      ? {}
      : { WaitDetails: { ScheduledEndTimestamp: moment(WaitDetails.ScheduledEndTimestamp) } }),
  };
}
