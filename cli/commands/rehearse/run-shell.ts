import { spawn } from 'node:child_process';
import { once } from 'node:events';

interface Ended {
  readonly code: number | null;
  /** Both streams, as they came. */
  readonly output: string;
}

/** Runs a command line in a shell and keeps what it prints; the signal ends it. */
export async function runShell(
  command: string,
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly signal: AbortSignal;
  },
): Promise<Ended> {
  const child = spawn(command, {
    cwd: options.cwd,
    env: { ...options.env },
    shell: true,
    // A group of its own, so that a signal ends what the shell has started, too.
    detached: process.platform !== 'win32',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => parts.push(part));
  child.stderr.on('data', (part: Buffer) => parts.push(part));
  const stop = (): void => {
    if (child.pid === undefined || process.platform === 'win32') child.kill();
    else process.kill(-child.pid);
  };
  options.signal.addEventListener('abort', stop);
  try {
    await once(child, 'close');
  } finally {
    options.signal.removeEventListener('abort', stop);
  }
  return { code: child.exitCode, output: Buffer.concat(parts).toString() };
}
