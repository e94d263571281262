import type { Output } from '../command.ts';
import { liveLines, type Stream } from './live-lines.ts';

/** What is being done right now, for whoever waits. */
export interface Progress {
  say(what: string): void;
  /** Something else is written now: a line that stands on the terminal goes. */
  end(): void;
}

/** On a terminal one line that changes; anywhere else, as in a build service, a plain line each. Never on standard output. */
export function progressTo(stream: Stream, output: Pick<Output, 'err'>): Progress {
  const live = liveLines(stream);
  return {
    say(what) {
      if (stream.isTTY === true) live.show([`${what} …`]);
      else output.err(`${what} …`);
    },
    end: live.clear,
  };
}
