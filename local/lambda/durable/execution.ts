import type { Clock } from '../../clock.ts';
import type { Outcome } from '../invocation.ts';
import { createCheckpointTokens } from './checkpoint-tokens.ts';
import { readAnswer } from './invocation-answer.ts';
import { inEvent, type ErrorObject, type Operation, type OperationUpdate } from './operation.ts';
import { createOperations } from './operations.ts';
import { pageOf, type StatePage } from './state-pages.ts';

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED';

/** Where an execution stands; moments in milliseconds since 1970. */
export interface ExecutionState {
  readonly status: ExecutionStatus;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** JSON text. */
  readonly result?: string;
  readonly error?: ErrorObject;
}

export interface ExecutionOptions {
  readonly arn: string;
  /** Last part of the ARN. */
  readonly id: string;
  /** JSON text, as the caller gave it. */
  readonly input: string;
  readonly timeoutSeconds: number;
  readonly clock: Clock;
  /** Invokes the version that the execution began on; `attempt` counts this execution's invocations from 1. */
  readonly invoke: (event: string, attempt: number) => Promise<Outcome>;
}

export interface CheckpointRequest {
  readonly token: string;
  readonly clientToken: string | undefined;
  readonly updates: readonly OperationUpdate[];
}

interface CheckpointAnswer {
  readonly token: string;
  /** Everything that changed since the caller last heard. */
  readonly changed: readonly Operation[];
}

/** One execution of a durable function, from its start to its end. */
export interface Execution {
  readonly state: () => ExecutionState;
  readonly checkpoint: (request: CheckpointRequest) => CheckpointAnswer;
  readonly read: (token: string, marker?: string, maxItems?: number) => StatePage;
  /** Ends it now, or leaves it as it ended before. An invocation at work is let to its end, but can checkpoint nothing. */
  readonly stop: (error?: ErrorObject) => ExecutionState;
  /** Resolves when the execution has ended. */
  readonly ended: Promise<void>;
  /** Takes back every timer and resolves when no invocation is at work. */
  readonly close: () => Promise<void>;
}

/** Waits before a broken invocation is made again: AWS documents an exponential backoff without its numbers. */
const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 300_000;

/**
 * Starts an execution and its first invocation. An invocation replays what is checkpointed and goes on from there; it ends
 * when the function has a result, or suspends until a wait or a retry of a step falls due.
 */
export function startExecution(options: ExecutionOptions): Execution {
  const { arn, clock } = options;
  const startedAt = clock.now();
  const operations = createOperations(options.id, options.input, startedAt);
  const tokens = createCheckpointTokens<CheckpointAnswer>();
  const timers = new Set<() => void>();
  const over = Promise.withResolvers<void>();
  let state: ExecutionState = { status: 'RUNNING', startedAt };
  let work: Promise<void> | undefined;
  let attempt = 0;
  let brokenInARow = 0;
  let isBackingOff = false;
  let isClosed = false;
  /** Ids of what changed and was not told to the function yet. */
  const unheard = new Set<string>();
  let timerFired = false;

  const later = (delayMs: number, action: () => void): void => {
    const cancel = clock.after(Math.max(0, delayMs), () => {
      timers.delete(cancel);
      action();
    });
    timers.add(cancel);
  };
  const forgetTimers = (): void => {
    for (const cancel of timers) {
      cancel();
    }
    timers.clear();
  };
  const end = (how: Omit<ExecutionState, 'startedAt' | 'endedAt'>): void => {
    if (state.status === 'RUNNING') {
      state = { ...how, startedAt, endedAt: clock.now() };
      tokens.revoke();
      forgetTimers();
      over.resolve();
    }
  };
  /** A result too large for an answer comes as a checkpoint. */
  const endBy = (update: OperationUpdate | undefined): void => {
    if (update?.Type === 'EXECUTION') {
      const { Payload, Error: error = {} } = update;
      end(
        update.Action === 'FAIL'
          ? { status: 'FAILED', error }
          : { status: 'SUCCEEDED', ...(Payload === undefined ? {} : { result: Payload }) },
      );
    }
  };
  const wake = (): void => {
    if (state.status === 'RUNNING' && work === undefined && !isBackingOff && !isClosed) {
      work = invoke().finally(() => {
        work = undefined;
        if (timerFired) {
          wake();
        }
      });
    }
  };
  const due = (id: string, after: (operation: Operation) => Operation): void => {
    const operation = operations.get(id);
    // Cancelled meanwhile, or ended with what it belongs to.
    if (operation?.Status === 'PENDING' || (operation?.Type === 'WAIT' && operation.Status === 'STARTED')) {
      operations.put(after(operation));
      unheard.add(id);
      timerFired = true;
      wake();
    }
  };
  const schedule = (operation: Operation): void => {
    const { Id, Type, Status, WaitDetails, StepDetails } = operation;
    const now = clock.now();
    if (Type === 'WAIT' && Status === 'STARTED' && WaitDetails !== undefined) {
      later(WaitDetails.ScheduledEndTimestamp - now, () => {
        due(Id, (each) => ({ ...each, Status: 'SUCCEEDED', EndTimestamp: clock.now() }));
      });
    }
    if (Status === 'PENDING') {
      later((StepDetails?.NextAttemptTimestamp ?? now) - now, () => {
        due(Id, (each) => ({ ...each, Status: 'READY' }));
      });
    }
  };
  const invoke = async (): Promise<void> => {
    attempt += 1;
    timerFired = false;
    const page = pageOf(operations.forReplay(), undefined);
    const event = {
      DurableExecutionArn: arn,
      CheckpointToken: tokens.renew(),
      UpdatedOperationIds: [...unheard],
      InitialExecutionState: {
        Operations: page.operations.map(inEvent),
        NextMarker: page.nextMarker ?? '',
      },
    };
    unheard.clear();
    const outcome = await options.invoke(JSON.stringify(event), attempt);
    tokens.revoke();
    settle(outcome);
  };
  const settle = (outcome: Outcome): void => {
    if (state.status !== 'RUNNING' || isClosed) {
      return;
    }
    const answer = readAnswer(outcome);
    if (answer.kind !== 'broken') {
      brokenInARow = 0;
    }
    switch (answer.kind) {
      case 'succeeded':
        end({ status: 'SUCCEEDED', ...(answer.result === undefined ? {} : { result: answer.result }) });
        return;
      case 'failed':
        end({ status: 'FAILED', error: answer.error });
        return;
      case 'suspended':
        if (!timerFired && !operations.hasTimer()) {
          const message = 'Cannot return PENDING status with no pending operations.';
          end({ status: 'FAILED', error: { ErrorType: 'InvalidInvocationOutput', ErrorMessage: message } });
        }
        return;
      case 'broken':
        isBackingOff = true;
        operations.countRetry();
        later(Math.min(FIRST_BACKOFF_MS * 2 ** brokenInARow, MAX_BACKOFF_MS), () => {
          isBackingOff = false;
          wake();
        });
        brokenInARow += 1;
    }
  };

  later(options.timeoutSeconds * 1000, () => {
    end({ status: 'TIMED_OUT' });
  });
  wake();
  return {
    state: () => state,
    checkpoint: ({ token, clientToken, updates }) =>
      tokens.once({ token, clientToken }, () => {
        const changed = operations.apply(updates, clock.now());
        for (const operation of changed) {
          unheard.add(operation.Id);
          schedule(operation);
        }
        const answer = {
          token: tokens.renew(),
          changed: [...unheard].map((id) => operations.get(id)).filter((each) => each !== undefined),
        };
        unheard.clear();
        endBy(updates.at(-1));
        return answer;
      }),
    read(token, marker, maxItems) {
      tokens.demand(token);
      return pageOf(operations.forReplay(), marker, maxItems);
    },
    stop(error) {
      end({ status: 'STOPPED', ...(error === undefined ? {} : { error }) });
      return state;
    },
    ended: over.promise,
    async close() {
      isClosed = true;
      forgetTimers();
      await work;
    },
  };
}
