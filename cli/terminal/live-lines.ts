import { visible } from './visible.ts';

/** Where lines can be written anew: a terminal, or something that is none, such as the log of a build. */
export interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Lines at the bottom of a terminal that are written over and over. */
export interface LiveLines {
  /** Takes the place of what stands there. */
  show(lines: readonly string[]): void;
  /** Something else is written now: what stands there goes. */
  clear(): void;
}

/** Lines are cut at the edge: one that wrapped would be two, and the place of the first would be lost. */
export function liveLines(stream: Stream): LiveLines {
  let shown = 0;
  const clear = (): void => {
    if (shown > 0) stream.write(`\r${'\u001B[1A'.repeat(shown - 1)}\u001B[J`);
    shown = 0;
  };
  return {
    show(lines) {
      clear();
      const width = Math.max(20, (stream.columns ?? 80) - 1);
      stream.write(lines.map((line) => visible(line).slice(0, width)).join('\n'));
      shown = lines.length;
    },
    clear,
  };
}
