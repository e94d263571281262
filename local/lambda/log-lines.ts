import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { endMark } from './messages.ts';

/** The output of one process, line by line. */
export interface LineReader {
  /** Resolves when both streams carried the end mark of this invocation. */
  ended(requestId: string): Promise<void>;
}

/** Reads both streams of a function's process; marks are kept out of the lines. */
export function readLines(child: ChildProcess, onLine: (line: string) => void): LineReader {
  const waiting = new Map<string, () => void>();
  const seen = new Map<string, number>();
  const marked = (requestId: string): void => {
    seen.set(requestId, (seen.get(requestId) ?? 0) + 1);
    if (seen.get(requestId) === 2) {
      waiting.get(requestId)?.();
    }
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) {
      readStream(stream, onLine, marked);
    }
  }
  return {
    async ended(requestId) {
      if ((seen.get(requestId) ?? 0) < 2) {
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.set(requestId, resolve);
        await promise;
      }
      waiting.delete(requestId);
      seen.delete(requestId);
    },
  };
}

function readStream(
  stream: Readable,
  onLine: (line: string) => void,
  marked: (requestId: string) => void,
): void {
  const mark = endMark('');
  createInterface({ input: stream, crlfDelay: Infinity }).on('line', (line) => {
    const at = line.indexOf(mark);
    // Output that did not end with a new line stands in front of the mark.
    const own = at === -1 ? line : line.slice(0, at);
    if (own !== '' || at === -1) {
      onLine(own);
    }
    if (at !== -1) {
      marked(line.slice(at + mark.length));
    }
  });
}
