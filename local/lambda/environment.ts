import { spawn, type ChildProcess } from 'node:child_process';
import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import {
  exited,
  failed,
  succeeded,
  timedOut,
  type Exit,
  type Invocation,
  type Outcome,
} from './invocation.ts';
import { readLines } from './log-lines.ts';
import { HIDING_CACHE, type InvokeMessage, type RuntimeMessage } from './messages.ts';

/** One process that serves invocations of one function version, one at a time. */
export interface Environment {
  /** True while another invocation can be given to it. */
  readonly usable: () => boolean;
  invoke(invocation: Invocation): Promise<Outcome>;
  /** Resolves when the process and all that it started are gone. */
  kill(): Promise<void>;
}

export interface EnvironmentOptions {
  readonly taskRoot: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  /** The whole environment of the process: nothing of the host's own gets in. */
  readonly variables: Readonly<Record<string, string>>;
  readonly onLine: (line: string) => void;
}

/** Lambda gives the code outside the handler ten seconds; after that it counts as part of the first invocation. */
const INIT_SECONDS = 10;

const bootstrap = fileURLToPath(new URL(`./bootstrap${extname(import.meta.url)}`, import.meta.url));

/** What the host keeps of compiled modules, for the process to start with; the bootstrap hides it from the user's code. */
function compileCache(): Readonly<Record<string, string>> {
  const folder = process.env['NODE_COMPILE_CACHE'];
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: resolve(folder) };
}

/** Starts a process. What goes wrong while it starts is told by its first invocation, as Lambda does. */
export function startEnvironment(options: EnvironmentOptions): Environment {
  const child = spawn(
    process.execPath,
    [
      `--max-old-space-size=${options.memoryMb}`,
      '--disable-warning=ExperimentalWarning',
      bootstrap,
      ...('NODE_COMPILE_CACHE' in options.variables ? [] : [HIDING_CACHE]),
    ],
    {
      cwd: options.taskRoot,
      env: { ...compileCache(), ...options.variables },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own: what a handler starts must not outlive it.
      detached: process.platform !== 'win32',
    },
  );
  const lines = readLines(child, options.onLine);
  const inbox = openInbox(child);
  let usable = true;
  const gone = whenGone(child, () => {
    usable = false;
  });

  const kill = async (): Promise<Exit> => {
    usable = false;
    if (child.exitCode === null && child.signalCode === null) {
      killGroup(child);
    }
    return await gone;
  };
  const end = async (outcome: Outcome): Promise<Outcome> => {
    await kill();
    return outcome;
  };
  const ready = inbox.next();

  return {
    usable: () => usable,
    kill: async () => void (await kill()),
    async invoke({ requestId, event, invokedFunctionArn }) {
      const { timeoutSeconds } = options;
      const init = await race(ready, gone, (INIT_SECONDS + timeoutSeconds) * 1000);
      if (init === 'time is up') {
        return await end(timedOut(requestId, timeoutSeconds));
      }
      if ('code' in init) {
        return await end(exited(requestId, init));
      }
      if (init.kind === 'init-failed') {
        return await end(failed(init.failure));
      }
      const deadlineMs = Date.now() + timeoutSeconds * 1000;
      const reply = inbox.next();
      post(child, { requestId, event, invokedFunctionArn, deadlineMs });
      const answer = await race(reply, gone, timeoutSeconds * 1000);
      if (answer === 'time is up') {
        return await end(timedOut(requestId, timeoutSeconds));
      }
      if ('code' in answer) {
        return await end(exited(requestId, answer));
      }
      if (answer.kind === 'done') {
        await Promise.race([lines.ended(requestId), gone]);
        return succeeded(answer.payload);
      }
      if (answer.kind === 'failed') {
        // A rejected handler leaves its process warm: module state lives on, as on Lambda.
        await Promise.race([lines.ended(requestId), gone]);
        return failed(answer.failure);
      }
      return await end('failure' in answer ? failed(answer.failure) : exited(requestId, await kill()));
    },
  };
}

interface Inbox {
  /** The next message that was not taken yet. */
  next(): Promise<RuntimeMessage>;
}

function openInbox(child: ChildProcess): Inbox {
  const arrived: RuntimeMessage[] = [];
  let taker: ((message: RuntimeMessage) => void) | undefined;
  child.on('message', (message: RuntimeMessage) => {
    if (taker === undefined) {
      arrived.push(message);
    } else {
      taker(message);
      taker = undefined;
    }
  });
  return {
    next() {
      const { promise, resolve } = Promise.withResolvers<RuntimeMessage>();
      const first = arrived.shift();
      if (first === undefined) {
        taker = resolve;
      } else {
        resolve(first);
      }
      return promise;
    },
  };
}

/** Resolves when the process has ended and everything it said was read: streams closed, channel drained. */
async function whenGone(child: ChildProcess, onExit: () => void): Promise<Exit> {
  const closed = Promise.withResolvers<Exit>();
  const drained = Promise.withResolvers<void>();
  // Also raised for a message to a process that has just left; only one that never started has no `close`.
  child.on('error', () => {
    if (child.pid === undefined) {
      drained.resolve();
      closed.resolve({ code: null, signal: null });
    }
  });
  child.once('exit', () => {
    onExit();
    // Otherwise a grandchild could hold the streams open.
    killGroup(child);
  });
  child.once('disconnect', drained.resolve);
  child.once('close', (code, signal) => {
    closed.resolve({ code, signal });
  });
  await drained.promise;
  return await closed.promise;
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  try {
    process.kill(process.platform === 'win32' ? child.pid : -child.pid, 'SIGKILL');
  } catch {
    // ESRCH: nobody is left, which is what was wanted.
  }
}

function post(child: ChildProcess, message: InvokeMessage): void {
  // A failed write means that the process is gone; `gone` tells that with its exit status.
  child.send(message, () => undefined);
}

async function race(
  message: Promise<RuntimeMessage>,
  gone: Promise<Exit>,
  limitMs: number,
): Promise<RuntimeMessage | Exit | 'time is up'> {
  const { promise: timeIsUp, resolve } = Promise.withResolvers<'time is up'>();
  const timer = setTimeout(resolve, limitMs, 'time is up');
  try {
    return await Promise.race([message, gone, timeIsUp]);
  } finally {
    clearTimeout(timer);
  }
}
