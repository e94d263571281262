import type { Output } from '../../command.ts';

/** What is being done right now, for whoever waits. */
export interface Progress {
  say(what: string): void;
  /** Something else is written now: a line that stands on the terminal goes. */
  end(): void;
}

/** On a terminal one line that changes; anywhere else, as in a build service, a plain line each. Never on standard output. */
export function progressTo(
  stream: { readonly isTTY?: boolean; write(text: string): unknown },
  output: Pick<Output, 'err'>,
): Progress {
  let isShown = false;
  const end = (): void => {
    if (isShown) stream.write('\r\u001B[2K');
    isShown = false;
  };
  return {
    say(what) {
      if (stream.isTTY !== true) {
        output.err(`${what} …`);
        return;
      }
      end();
      stream.write(`${what} …`);
      isShown = true;
    },
    end,
  };
}
