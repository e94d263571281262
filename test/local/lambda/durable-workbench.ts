import {
  GetDurableExecutionCommand,
  InvokeCommand,
  type GetDurableExecutionResponse,
  type InvokeCommandInput,
  type InvokeCommandOutput,
} from '@aws-sdk/client-lambda';
import { build } from 'esbuild';

import { manualClock, type Clock } from '../../../local/clock.ts';
import type { FunctionSettings } from '../../../local/lambda/function-settings.ts';
import type { InvokeStart, LambdaOptions, LogLine } from '../../../local/lambda/start-lambda.ts';
import { openWorkbench, type Workbench } from './workbench.ts';

/** Lambda with durable functions, made of handlers that are bundled with the real SDK as a product bundles them. */
export interface DurableWorkbench extends Workbench {
  readonly starts: readonly InvokeStart[];
  /** Publishes a durable function; `handler` is the text of what `withDurableExecution` is given. */
  publish(name: string, handler: string, settings?: Partial<FunctionSettings>): Promise<string>;
  /** Code of a durable function. */
  durable(handler: string, settings?: Partial<FunctionSettings>): Promise<FunctionSettings>;
  start(functionArn: string, name: string, payload?: unknown): Promise<InvokeCommandOutput>;
  get(executionArn: string): Promise<GetDurableExecutionResponse>;
  /** Attaches to an execution that `start` began, and resolves when it has ended. */
  end(executionArn: string): Promise<GetDurableExecutionResponse>;
  /** Resolves with the next invocation of a function. */
  invocation(): Promise<InvokeStart>;
  /** Resolves with the next line that begins so. */
  line(beginning: string): Promise<string>;
  /** Moves time on, where `time` is `by-hand`. */
  advance(milliseconds: number): void;
  /** Resolves when the next timer of this length is set. */
  timer(delayMs: number): Promise<void>;
  readonly lines: (name: string) => readonly string[];
}

interface Ear<T> {
  tell(one: T): void;
  /** Resolves with the next one that is wanted. */
  heard(isWanted: (one: T) => boolean): Promise<T>;
}

/** Listens all the time, because several lines may be told in one go. */
function openEar<T>(): Ear<T> {
  const listeners = new Set<(one: T) => void>();
  return {
    tell(one) {
      for (const listener of listeners) listener(one);
    },
    async heard(isWanted) {
      return await new Promise((resolve) => {
        const listener = (one: T): void => {
          if (isWanted(one)) {
            listeners.delete(listener);
            resolve(one);
          }
        };
        listeners.add(listener);
      });
    },
  };
}

/** How long an execution of these tests may take, on a clock that a test moves. */
export const EXECUTION_SECONDS = 600;

/**
 * Opens Lambda on a clock that stands still until it is moved: by the test, or, while `time` is `passing`, to the next timer
 * as soon as it is set, so that waits take no time and the time-outs of executions never come.
 */
export async function openDurableWorkbench(
  time: 'passing' | 'by-hand',
  options: LambdaOptions = {},
): Promise<DurableWorkbench> {
  const starts: InvokeStart[] = [];
  const begun = new Map<string, InvokeCommandInput>();
  const lines = openEar<LogLine>();
  const timers = openEar<number>();
  const invocations = openEar<InvokeStart>();
  const hand = manualClock();
  const clock: Clock = {
    now: hand.now,
    after(delayMs, action) {
      const isTimeout = delayMs >= EXECUTION_SECONDS * 1000;
      const isPassing = time === 'passing' && !isTimeout;
      const cancel = hand.after(isPassing ? 0 : delayMs, action);
      if (isPassing) {
        setImmediate(() => {
          hand.advance(0);
        });
      }
      timers.tell(delayMs);
      return cancel;
    },
  };
  const bench = await openWorkbench({
    clock,
    ...options,
    onInvoke: (start) => {
      starts.push(start);
      invocations.tell(start);
      return options.onInvoke?.(start);
    },
    onLog: lines.tell,
  });
  const durable: DurableWorkbench['durable'] = async (handler, settings = {}) =>
    await bench.settings(await bundled(handler), {
      timeoutSeconds: 10,
      durable: { executionTimeoutSeconds: EXECUTION_SECONDS, retentionDays: 1 },
      ...settings,
    });
  const get: DurableWorkbench['get'] = async (DurableExecutionArn) =>
    await bench.client.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
  return {
    ...bench,
    starts,
    durable,
    async publish(name, handler, settings) {
      await bench.lambda.createFunction(name, await durable(handler, settings));
      return (await bench.lambda.publishVersion(name)).arn;
    },
    async start(FunctionName, DurableExecutionName, payload = {}) {
      const input = { FunctionName, DurableExecutionName, Payload: JSON.stringify(payload) };
      const answer = await bench.client.send(new InvokeCommand({ ...input, InvocationType: 'Event' }));
      begun.set(arnOf(answer), input);
      return answer;
    },
    get,
    async end(arn) {
      const input = begun.get(arn);
      if (input !== undefined) await bench.client.send(new InvokeCommand(input));
      return await get(arn);
    },
    invocation: async () => await invocations.heard(() => true),
    async line(beginning) {
      return (await lines.heard(({ line }) => line.startsWith(beginning))).line;
    },
    advance: (milliseconds) => {
      hand.advance(milliseconds);
    },
    async timer(wantedMs) {
      await timers.heard((delayMs) => delayMs === wantedMs);
    },
    lines: (name) => bench.lambda.logs(name).map(({ line }) => line),
  };
}

async function bundled(handler: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { withDurableExecution } from '@aws/durable-execution-sdk-js';
        export const handler = withDurableExecution(${handler});`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    external: ['@aws-sdk/*'],
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}

/** The ARN of an execution that was just started. */
export function arnOf({
  DurableExecutionArn,
}: {
  readonly DurableExecutionArn?: string | undefined;
}): string {
  return DurableExecutionArn ?? 'no ARN was answered';
}
