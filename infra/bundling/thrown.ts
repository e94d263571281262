import { dirname } from 'node:path';
import { shownPath } from './migration-files.ts';

/** What a module threw and, where its stack trace tells, the line of the author's own code that did. */
export function describeThrown(thrown: unknown, directory: string): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const text = `${thrown.name}: ${thrown.message}`;
  const [, file, line, column] = ownFrame(thrown.stack ?? '', dirname(directory)) ?? [];
  return file === undefined ? text : `${text} (${shownPath(directory, file)}:${line}:${column})`;
}

function ownFrame(stack: string, root: string): RegExpExecArray | undefined {
  for (const frame of stack.split('\n')) {
    const found = /(?:file:\/\/)?(\/[^():]*):(\d+):(\d+)\)?$/.exec(frame);
    const file = found?.[1] ?? '';
    if (found !== null && file.startsWith(`${root}/`) && !file.includes('/node_modules/')) return found;
  }
  return undefined;
}
