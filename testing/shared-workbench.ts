import { migrationsFolder } from './migrations-folder.ts';
import { type BuiltHistory, startWorkbench, type Surroundings, type Workbench } from './workbench.ts';
import { registerTest } from './test-runner.ts';

/** The history that a test is about. */
export interface TestedHistory extends Surroundings {
  /** Folder of the migrations. @default the nearest `migrations` from the working directory upward */
  readonly directory?: string;
}

/** The first test of a file starts the server and builds the history; on a busy machine both take seconds. */
const TEST_MS = 120_000;

/** Tests that are left out by name never come; what is open then is closed when nothing has happened for so long. */
const IDLE_MS = 5_000;

let opened: Promise<Workbench> | undefined;
let working = 0;
let idle: NodeJS.Timeout | undefined;
const waiting = new Set<symbol>();

/**
 * Registers tests of the history in a folder. All tests of a process share one workbench: the first one starts it, the last
 * one stops it, because a runner may wait for an empty event loop before it calls any hook.
 */
export function registerTests(
  { directory, environment, params, secrets }: TestedHistory,
  tests: readonly {
    readonly name: string;
    run(history: BuiltHistory, bench: Workbench): Promise<void>;
  }[],
): void {
  for (const { name, run } of tests) {
    const ticket = Symbol(name);
    waiting.add(ticket);
    const body = async (): Promise<void> => {
      try {
        await withWorkbench(async (folder, bench) => {
          const history = await bench.history(folder, {
            ...(environment === undefined ? {} : { environment }),
            ...(params === undefined ? {} : { params }),
            ...(secrets === undefined ? {} : { secrets }),
          });
          await run(history, bench);
        }, migrationsFolder(directory));
      } finally {
        waiting.delete(ticket);
        if (waiting.size === 0) await close();
      }
    };
    registerTest(name, body, TEST_MS);
  }
}

async function withWorkbench(
  work: (directory: string, bench: Workbench) => Promise<void>,
  directory: string,
): Promise<void> {
  clearTimeout(idle);
  working += 1;
  try {
    opened ??= startWorkbench(directory);
    // A server that did not start is tried again by the next test.
    opened.catch(() => (opened = undefined));
    await work(directory, await opened);
  } finally {
    working -= 1;
    if (working === 0) idle = setTimeout(() => void close(), IDLE_MS);
  }
}

async function close(): Promise<void> {
  clearTimeout(idle);
  if (working > 0) return;
  const closing = opened;
  opened = undefined;
  await (await closing)?.close();
}
