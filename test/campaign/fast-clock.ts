import { realClock } from '../../lambda/clock.ts';
import type { Clock } from '../../lambda/engine/ports.ts';

/** How much faster than real time waiting passes: the engine's pauses of seconds become hundredths. */
const SPEED = 25;

/** A clock whose pauses are short but add up as if they were not; work itself takes the time it takes. */
export function fastClock(): Clock {
  let skippedMs = 0;
  return {
    now: () => Date.now() + skippedMs,
    async sleep(milliseconds, cancel) {
      const began = Date.now();
      await realClock.sleep(milliseconds / SPEED, cancel);
      // Of a sleep that was cut short only a part has passed.
      skippedMs += (Date.now() - began) * (SPEED - 1);
    },
  };
}
