import type { Clock } from '../clock.ts';
import type { Outcome } from './invocation.ts';
import type { EventInvokeSettings } from './function-settings.ts';
import { LambdaServiceError } from './service-error.ts';

/** An event that waits for, or is in, an asynchronous invocation. */
export interface QueuedEvent {
  /** The same on every attempt. */
  readonly requestId: string;
  /** As the caller named the function. */
  readonly target: string;
  /** JSON text. */
  readonly event: string;
}

/** Why an event was given up. */
export interface DroppedEvent extends QueuedEvent {
  readonly condition: 'RetriesExhausted' | 'EventAgeExceeded';
  readonly attempts: number;
  readonly outcome: Outcome | undefined;
}

export interface EventQueueOptions {
  readonly clock: Clock;
  /** Waits before the second and the third attempt, in milliseconds. AWS waits one minute, then two. */
  readonly retryWaitsMs: readonly number[];
  readonly settingsOf: (target: string) => EventInvokeSettings;
  readonly run: (event: QueuedEvent, attempt: number) => Promise<Outcome>;
  readonly onDropped: (event: DroppedEvent) => void;
}

/**
 * Lambda's queue of asynchronous invocations: a function error is tried again, at most twice by default, while the
 * event is young enough. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export interface EventQueue {
  push(event: QueuedEvent): void;
  /** Forgets waiting events and resolves when no attempt is running any more. */
  close(): Promise<void>;
}

/** Makes an empty queue. */
export function createEventQueue(options: EventQueueOptions): EventQueue {
  const { clock, retryWaitsMs, settingsOf, run, onDropped } = options;
  const running = new Set<Promise<void>>();
  const waiting = new Set<() => void>();
  let closed = false;

  const later = (delayMs: number, action: () => void): void => {
    if (delayMs === 0) {
      action();
      return;
    }
    const cancel = clock.after(delayMs, () => {
      waiting.delete(cancel);
      action();
    });
    waiting.add(cancel);
  };

  const attempt = async (
    event: QueuedEvent,
    bornMs: number,
    number: number,
    last?: Outcome,
  ): Promise<void> => {
    const { maximumEventAgeSeconds = 21_600, maximumRetryAttempts = 2 } = settingsOf(event.target);
    if (clock.now() - bornMs > maximumEventAgeSeconds * 1000) {
      onDropped({ ...event, condition: 'EventAgeExceeded', attempts: number - 1, outcome: last });
      return;
    }
    const outcome = await run(event, number);
    if (outcome.functionError === undefined || closed) {
      return;
    }
    if (number > maximumRetryAttempts) {
      onDropped({ ...event, condition: 'RetriesExhausted', attempts: number, outcome });
      return;
    }
    later(retryWaitsMs[number - 1] ?? 0, () => {
      track(attempt(event, bornMs, number + 1, outcome));
    });
  };

  const track = (work: Promise<void>): void => {
    const tracked = work.catch(ignoreMissingFunction).finally(() => running.delete(tracked));
    running.add(tracked);
  };

  return {
    push(event) {
      if (!closed) {
        track(attempt(event, clock.now(), 1));
      }
    },
    async close() {
      closed = true;
      for (const cancel of waiting) {
        cancel();
      }
      waiting.clear();
      await Promise.all(running);
    },
  };
}

/** A function that was deleted meanwhile takes its events with it. */
function ignoreMissingFunction(error: unknown): void {
  if (!(error instanceof LambdaServiceError)) {
    throw error;
  }
}
