/** Time as the services see it. A test turns it by hand instead of sleeping. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs the action once after so many milliseconds; the answer takes it back. */
  after(delayMs: number, action: () => void): () => void;
}

/** The machine's own clock. A pending action never keeps the process alive by itself. */
export const realClock: Clock = {
  now: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};
