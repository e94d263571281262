import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { LocalError } from '../errors.ts';
import { freePort } from './free-port.ts';
import type { OsUser } from './os-user.ts';

/** Another program may take a free port before the server does. */
const PORT_ATTEMPTS = 5;

/** Starts a server over the cluster in `home` and waits until it takes connections. `flags` are further settings. */
export async function startServer(
  program: string,
  user: OsUser,
  home: string,
  flags: readonly string[],
): Promise<{ child: ChildProcess; port: number }> {
  const settings = [
    'unix_socket_directories=',
    'max_connections=200',
    'timezone=UTC',
    'log_statement=none',
    ...flags,
  ];
  let said = '';
  for (let attempt = 0; attempt < PORT_ATTEMPTS; attempt += 1) {
    const port = await freePort();
    const options = settings.flatMap((setting) => ['-c', setting]);
    const child = spawn(
      program,
      ['-D', join(home, 'data'), '-h', '127.0.0.1', '-p', String(port), ...options],
      {
        ...user,
        cwd: home,
        env: { ...process.env, LC_ALL: 'C' },
        stdio: ['ignore', 'ignore', 'pipe'],
        // A group of its own: Ctrl-C in a terminal is for the program that uses the server, which then stops it in order.
        detached: true,
      },
    );
    const outcome = await firstWord(child);
    if (outcome.ready) {
      letGo(child);
      return { child, port };
    }
    said = outcome.said;
    if (!said.includes('Address already in use')) break;
  }
  if (said.includes('"postmaster.pid" already exists')) {
    throw new LocalError('postgres-not-started', `Another PostgreSQL works with the data in ${home}.`);
  }
  throw new LocalError(
    'postgres-not-started',
    `The embedded PostgreSQL did not start: ${said.trim().slice(-500)}`,
  );
}

/** Waits until the server accepts connections or has ended; after that its log is drained and dropped. */
async function firstWord(child: ChildProcess): Promise<{ ready: boolean; said: string }> {
  return new Promise((resolve) => {
    let said = '';
    let answered = false;
    const answer = (ready: boolean): void => {
      answered = true;
      resolve({ ready, said });
    };
    child.stderr?.on('data', (chunk: Buffer) => {
      if (answered) return;
      said += chunk.toString('utf8');
      if (said.includes('ready to accept connections')) answer(true);
    });
    child.once('error', (error) => {
      said += error.message;
      answer(false);
    });
    child.once('exit', () => {
      answer(false);
    });
  });
}

/** A server that was forgotten must not keep our process alive; the undertaker stops it then. */
function letGo(child: ChildProcess): void {
  child.unref();
  if (child.stderr instanceof Socket) child.stderr.unref();
}

/** Ends a server with a signal, which says how, and waits for its end. */
export async function stopServer(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
