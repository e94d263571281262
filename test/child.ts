import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A child process whose output can be waited for. */
export interface Child {
  /** Resolves when the output holds the text. */
  seen(text: string): Promise<string>;
  stop(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export function start(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Child {
  const child = spawn(command, [...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, out, err }));
  return {
    async seen(text) {
      while (!out.includes(text)) {
        const more = await Promise.race([
          once(child.stdout, 'data').then(() => true),
          ended.then(() => false),
        ]);
        if (!more && !out.includes(text)) throw new OutputMissing(text, `${out}\n${err}`);
      }
      return out;
    },
    stop: (signal) => void child.kill(signal),
    ended,
  };
}

/** Runs a command to its end. */
export async function finish(...command: Parameters<typeof start>): Promise<Ended> {
  return start(...command).ended;
}

/** A process ended without having printed what was waited for. */
class OutputMissing extends Error {
  override readonly name = 'OutputMissing';
  constructor(text: string, output: string) {
    super(`the process ended without printing "${text}"; it printed:\n${output}`);
  }
}
