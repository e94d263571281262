import type { Clock } from './engine/ports.ts';

/** The process's own time. */
export const realClock: Clock = { now: Date.now, sleep };

function sleep(milliseconds: number, cancel?: AbortSignal): Promise<void> {
  return new Promise((wake) => {
    const end = (): void => {
      clearTimeout(timer);
      cancel?.removeEventListener('abort', end);
      wake();
    };
    const timer = setTimeout(end, milliseconds);
    if (cancel?.aborted === true) end();
    else cancel?.addEventListener('abort', end);
  });
}
