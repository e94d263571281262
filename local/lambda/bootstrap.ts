/**
 * Runs inside a function's own process: loads the handler, then serves one invocation at a time over the IPC channel.
 * It stands in for Lambda's managed Node.js runtime and touches nothing else of the user's process.
 */

import { flushCompileCache } from 'node:module';
import { LoadError, loadHandler, offerSdk, type Handler } from './handler-loader.ts';
import {
  endMark,
  HIDING_CACHE,
  type InvokeMessage,
  type RuntimeFailure,
  type RuntimeMessage,
} from './messages.ts';

const send = process.send?.bind(process);
const out = process.stdout.write.bind(process.stdout);
const err = process.stderr.write.bind(process.stderr);
delete process.send;

// The process will be killed: what was compiled so far, which is ours, is kept now for those that come after it.
flushCompileCache();
if (process.argv.splice(2).includes(HIDING_CACHE)) delete process.env['NODE_COMPILE_CACHE'];

let current: string | undefined;

process.on('disconnect', () => process.exit());
process.on('uncaughtException', (error) => void die(describe(error), 129));
process.on('unhandledRejection', (reason) => {
  const { trace = [] } = describe(reason);
  void die(
    { errorType: 'Runtime.UnhandledPromiseRejection', errorMessage: String(reason), trace: [...trace] },
    128,
  );
});

offerSdk();
await serve();

async function serve(): Promise<void> {
  let handler: Handler;
  try {
    handler = await loadHandler(process.env['LAMBDA_TASK_ROOT'] ?? '.', process.env['_HANDLER'] ?? '');
  } catch (error) {
    await die(describe(error), 1);
    return;
  }
  process.on('message', (message: InvokeMessage) => void handle(handler, message));
  await tell({ kind: 'ready' });
}

async function handle(handler: Handler, message: InvokeMessage): Promise<void> {
  const { requestId } = message;
  current = requestId;
  let answer: RuntimeMessage;
  try {
    const result = await handler(JSON.parse(message.event), contextOf(message));
    answer = { kind: 'done', requestId, payload: JSON.stringify(result) ?? 'null' };
  } catch (error) {
    const failure = describe(error);
    await write(err, `ERROR\tInvoke Error\t${JSON.stringify(failure)}\n`);
    answer = { kind: 'failed', requestId, failure };
  }
  current = undefined;
  await Promise.all([write(out, `${endMark(requestId)}\n`), write(err, `${endMark(requestId)}\n`)]);
  await tell(answer);
}

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
function contextOf({ requestId, invokedFunctionArn, deadlineMs }: InvokeMessage): Record<string, unknown> {
  const { env } = process;
  return {
    awsRequestId: requestId,
    invokedFunctionArn,
    functionName: env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: env['AWS_LAMBDA_FUNCTION_VERSION'],
    memoryLimitInMB: env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: env['AWS_LAMBDA_LOG_STREAM_NAME'],
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  };
}

/** The process is not to be trusted any more: say why, then leave, as the managed runtime does. */
async function die(failure: RuntimeFailure, exitCode: number): Promise<void> {
  const label = current === undefined ? 'Init Error' : 'Uncaught Exception';
  await write(err, `ERROR\t${label}\t${JSON.stringify(failure)}\n`);
  await tell(
    current === undefined
      ? { kind: 'init-failed', failure }
      : { kind: 'crashed', requestId: current, failure },
  );
  process.exit(exitCode);
}

function describe(error: unknown): RuntimeFailure {
  if (error instanceof LoadError) {
    return { errorType: error.errorType, errorMessage: error.message, trace: traceOf(error) };
  }
  if (error instanceof Error) {
    return { errorType: error.name, errorMessage: error.message, trace: traceOf(error) };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function traceOf(error: Error): string[] {
  return (error.stack ?? '').split('\n');
}

function tell(message: RuntimeMessage): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (send === undefined || !process.connected) {
    resolve();
  } else {
    send(message, undefined, {}, () => {
      resolve();
    });
  }
  return promise;
}

function write(stream: (text: string, done: () => void) => boolean, text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  stream(text, () => {
    resolve();
  });
  return promise;
}
