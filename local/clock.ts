/** Time as the services see it. A test moves it by hand instead of waiting. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs the action once after so many milliseconds; the function returned takes it back. */
  after(delayMs: number, action: () => void): () => void;
}

/** Node fires a timer that is set for longer at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clock. A pending action does not keep the process alive. */
export const realClock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    let timer: NodeJS.Timeout;
    const start = (leftMs: number): void => {
      const step = Math.min(leftMs, MAX_TIMER_MS);
      timer = setTimeout(() => {
        if (leftMs > step) start(leftMs - step);
        else action();
      }, step);
      timer.unref();
    };
    start(delayMs);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** A clock that stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves time on and runs, in order, everything that falls due on the way. */
  advance(milliseconds: number): void;
}

/** Default start: now, because clients compare the server's date with their own. */
export function manualClock(startMs: number = Date.now()): ManualClock {
  let now = startMs;
  const pending = new Set<{ readonly at: number; readonly action: () => void }>();
  return {
    now: () => now,
    after(delayMs, action) {
      const entry = { at: now + delayMs, action };
      pending.add(entry);
      return () => pending.delete(entry);
    },
    advance(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        const [next] = [...pending].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (next === undefined) break;
        pending.delete(next);
        now = Math.max(now, next.at);
        next.action();
      }
      now = end;
    },
  };
}
