import { EventEmitter, once } from 'node:events';

import {
  GetDurableExecutionCommand,
  InvokeCommand,
  type GetDurableExecutionResponse,
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
  /** Lets an execution go on, its waits passing at once, until it has ended. */
  end(executionArn: string): Promise<GetDurableExecutionResponse>;
  /** Resolves with the next line that begins so. */
  line(beginning: string): Promise<string>;
  /** Moves time on. */
  advance(milliseconds: number): void;
  /** Resolves when the next timer is set that is at least so long. */
  timer(atLeastMs: number): Promise<number>;
  readonly lines: (name: string) => readonly string[];
}

export const EXECUTION_SECONDS = 600;

export async function openDurableWorkbench(options: LambdaOptions = {}): Promise<DurableWorkbench> {
  const starts: InvokeStart[] = [];
  const bus = new EventEmitter<{ line: [LogLine]; timer: [number]; start: [] }>();
  bus.setMaxListeners(0);
  const hand = manualClock();
  const clock: Clock = {
    now: hand.now,
    after(delayMs, action) {
      const cancel = hand.after(delayMs, action);
      bus.emit('timer', delayMs);
      return cancel;
    },
  };
  const bench = await openWorkbench({
    clock,
    ...options,
    onInvoke: (start) => {
      starts.push(start);
      bus.emit('start');
      return options.onInvoke?.(start);
    },
    onLog: (line) => void bus.emit('line', line),
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
      return await bench.client.send(
        new InvokeCommand({
          FunctionName,
          InvocationType: 'Event',
          DurableExecutionName,
          Payload: JSON.stringify(payload),
        }),
      );
    },
    get,
    async end(arn) {
      for (;;) {
        const state = await get(arn);
        if (state.Status !== 'RUNNING') return state;
        hand.advance(1000);
      }
    },
    async line(beginning) {
      for (;;) {
        const [{ line }] = (await once(bus, 'line')) as [LogLine];
        if (line.startsWith(beginning)) return line;
      }
    },
    advance: (milliseconds) => {
      hand.advance(milliseconds);
    },
    async timer(atLeastMs) {
      for (;;) {
        const [delayMs] = (await once(bus, 'timer')) as [number];
        if (delayMs >= atLeastMs) return delayMs;
      }
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
export function arnOf({ DurableExecutionArn }: { readonly DurableExecutionArn?: string | undefined }): string {
  return DurableExecutionArn ?? 'no ARN was answered';
}
