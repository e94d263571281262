import { randomUUID } from 'node:crypto';

import { realClock, type Clock } from '../clock.ts';
import { createCodeStore } from './code-store.ts';
import { startEnvironment } from './environment.ts';
import { createEventQueue, type DroppedEvent, type QueuedEvent } from './event-queue.ts';
import { failureRecord } from './failure-destination.ts';
import { processVariables, type EventInvokeSettings, type FunctionSettings } from './function-settings.ts';
import { parseFunctionName } from './function-name.ts';
import { createFunctions, type FunctionVersion } from './functions.ts';
import type { Authorize } from './admission.ts';
import { createExecutions } from './durable/executions.ts';
import { outcomeOf } from './durable/invoke-durable.ts';
import { startInvokeApi, type RefusingFault } from './invoke-api.ts';
import type { Outcome } from './invocation.ts';
import { createPool } from './pool.ts';
import { createRoleKeys } from './role-keys.ts';

/** One attempt to run a function, told just before it starts. */
export interface InvokeStart {
  readonly requestId: string;
  /** As the caller named it. */
  readonly functionArn: string;
  readonly functionName: string;
  readonly executedVersion: string;
  readonly mode: 'RequestResponse' | 'Event';
  /** From 1; more only for events, and for a durable execution, which counts its invocations. */
  readonly attempt: number;
  /** JSON text. A custom resource event holds its ResponseURL here: never print it. */
  readonly event: string;
}

/**
 * What a listener may do to one invocation: cut the connection before or after the function ran; or refuse it, because there are
 * too many, because the caller's grant is not known everywhere yet, or because the function is still pending.
 */
export type InvokeFault = 'lose-request' | 'lose-answer' | RefusingFault;

export interface LogLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly functionName: string;
  readonly version: string;
  readonly line: string;
}

export interface LambdaOptions {
  /** Called before each attempt and awaited; faults count for requests over HTTP only. */
  readonly onInvoke?: (start: InvokeStart) => void | InvokeFault | Promise<void | InvokeFault>;
  readonly onLog?: (line: LogLine) => void;
  /** Events that were given up. */
  readonly onDropped?: (event: DroppedEvent) => void;
  /** The access key id that stands for a role; by default it follows from the ARN. */
  readonly accessKeyFor?: (roleArn: string) => string;
  /** Whether a caller may do something; everybody may do everything by default. */
  readonly authorize?: Authorize;
  /** Added to each function's environment: the other services' `AWS_ENDPOINT_URL_*`. Read when a process starts. */
  readonly env?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  readonly clock?: Clock;
  /** Default `[0, 0]`: on AWS a failed event waits one minute, then two; a rehearsal does not. */
  readonly retryWaitsMs?: readonly number[];
  /** Default `111122223333`. */
  readonly account?: string;
  /** Default `eu-west-1`. */
  readonly region?: string;
}

/** How a synchronous invocation ended. */
export interface InvokeResult extends Outcome {
  readonly requestId: string;
  readonly executedVersion: string;
}

/** AWS Lambda on this machine. */
export interface LocalLambda {
  /** For `AWS_ENDPOINT_URL_LAMBDA`. */
  readonly url: string;
  readonly account: string;
  readonly region: string;
  createFunction(name: string, settings: FunctionSettings): Promise<{ readonly arn: string }>;
  updateFunction(name: string, settings: FunctionSettings): Promise<void>;
  /** The whole function, or the version that the ARN names. */
  deleteFunction(nameOrArn: string): Promise<void>;
  /** `fresh` is false when an equal version was there already. */
  publishVersion(
    name: string,
  ): Promise<{ readonly version: string; readonly arn: string; readonly fresh: boolean }>;
  createAlias(name: string, alias: string, version: string): { readonly arn: string };
  updateAlias(name: string, alias: string, version: string): { readonly arn: string };
  deleteAlias(name: string, alias: string): void;
  /** `undefined` takes the configuration back. */
  setEventInvoke(name: string, qualifier: string, settings: EventInvokeSettings | undefined): void;
  /** Of a durable function: waits for the end of an execution. */
  invoke(nameOrArn: string, payload: unknown): Promise<InvokeResult>;
  /** Queues the event and answers with its request id; of a durable function: starts an execution. */
  invokeAsync(nameOrArn: string, payload: unknown): Promise<{ readonly requestId: string }>;
  /** Everything the function wrote, in order. */
  logs(functionName: string): readonly LogLine[];
  /** ARN of the role behind an access key id. */
  roleOf(accessKeyId: string): string | undefined;
  /** Environment variables with which somebody on this machine acts as a role. */
  credentialsOf(roleArn: string): Readonly<Record<string, string>>;
  /** Adds to the environment of every process that starts from now on. */
  provideEnvironment(variables: Readonly<Record<string, string>>): void;
  /** Ends every process and waits until it is gone. */
  close(): Promise<void>;
}

/** Starts Lambda with its HTTP endpoint on a free port of 127.0.0.1. */
export async function startLambda(options: LambdaOptions = {}): Promise<LocalLambda> {
  const { clock = realClock, account = '111122223333', region = 'eu-west-1', env = {} } = options;
  const keys = createRoleKeys(options.accessKeyFor);
  const store = await createCodeStore();
  const logs = new Map<string, LogLine[]>();
  const provided: Record<string, string> = {};
  let streams = 0;

  const log = (functionName: string, version: string, line: string): void => {
    const entry = { at: clock.now(), functionName, version, line };
    const lines = logs.get(functionName) ?? [];
    lines.push(entry);
    logs.set(functionName, lines);
    options.onLog?.(entry);
  };
  const startProcess = (of: Omit<FunctionVersion, 'pool'>): ReturnType<typeof startEnvironment> => {
    const { name, version, settings, code } = of;
    streams += 1;
    const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '/');
    const variables = processVariables(settings, {
      name,
      version,
      region,
      taskRoot: code.directory,
      credentials: keys.variables(settings.role),
      logStream: `${day}/[${version}]${String(streams).padStart(32, '0')}`,
    });
    return startEnvironment({
      taskRoot: code.directory,
      memoryMb: settings.memoryMb ?? 128,
      timeoutSeconds: settings.timeoutSeconds ?? 3,
      variables: { ...variables, ...provided, ...(typeof env === 'function' ? env() : env) },
      onLine: (line) => {
        log(name, version, line);
      },
    });
  };
  const functions = createFunctions({
    store,
    arnOf: (name) => `arn:aws:lambda:${region}:${account}:function:${name}`,
    poolFor: (version) => createPool(() => startProcess(version)),
  });

  const announce = async (
    event: QueuedEvent,
    mode: InvokeStart['mode'],
    attempt: number,
  ): Promise<InvokeFault | undefined> => {
    const { version, invokedArn } = functions.resolve(event.target);
    const fault = await options.onInvoke?.({
      requestId: event.requestId,
      functionArn: invokedArn,
      functionName: version.name,
      executedVersion: version.version,
      mode,
      attempt,
      event: event.event,
    });
    return fault ?? undefined;
  };
  const run = async ({ requestId, target, event }: QueuedEvent): Promise<InvokeResult> => {
    const { version, invokedArn } = functions.resolve(target);
    const outcome = await version.pool.invoke({ requestId, event, invokedFunctionArn: invokedArn });
    return { ...outcome, requestId, executedVersion: version.version };
  };

  const queue = createEventQueue({
    clock,
    retryWaitsMs: options.retryWaitsMs ?? [],
    settingsOf: (target) => functions.resolve(target).eventInvoke,
    async run(event, attempt) {
      await announce(event, 'Event', attempt);
      return await run(event);
    },
    onDropped(event) {
      options.onDropped?.(event);
      const { invokedArn, eventInvoke } = functions.resolve(event.target);
      if (eventInvoke.onFailure !== undefined) {
        enqueue(eventInvoke.onFailure, failureRecord(event, invokedArn, clock.now()), randomUUID());
      }
    },
  });
  const executions = createExecutions({
    functions,
    clock,
    async run(target, event, attempt) {
      const queued = { requestId: randomUUID(), target, event };
      await announce(queued, 'Event', attempt);
      return await run(queued);
    },
  });
  const enqueue = (target: string, event: string, requestId: string): void => {
    const resolved = functions.resolve(target);
    if (resolved.version.settings.durable === undefined) {
      queue.push({ requestId, target, event });
    } else {
      executions.start({ target: resolved, name: undefined, input: event });
    }
  };
  const api = await startInvokeApi({
    functions,
    executions,
    enqueue,
    announce: (event) => announce(event, 'RequestResponse', 1),
    run,
    ...(options.authorize === undefined ? {} : { authorize: options.authorize }),
    logTail: (name) => (logs.get(name) ?? []).map((each) => each.line),
  });
  provided['AWS_ENDPOINT_URL_LAMBDA'] = api.url;

  return {
    url: api.url,
    account,
    region,
    createFunction: functions.create,
    updateFunction: functions.update,
    async deleteFunction(nameOrArn) {
      const { name, qualifier } = parseFunctionName(nameOrArn);
      executions.stopAllOn(name, qualifier);
      await functions.delete(nameOrArn);
    },
    publishVersion: functions.publish,
    createAlias: functions.setAlias,
    updateAlias: functions.setAlias,
    deleteAlias: functions.deleteAlias,
    setEventInvoke: functions.setEventInvoke,
    async invoke(target, payload) {
      const event = { requestId: randomUUID(), target, event: JSON.stringify(payload ?? {}) };
      const resolved = functions.resolve(target);
      if (resolved.version.settings.durable !== undefined) {
        const known = executions.start({ target: resolved, name: undefined, input: event.event });
        await known.execution.ended;
        const outcome = outcomeOf(known.execution.state());
        return { ...outcome, requestId: event.requestId, executedVersion: known.version };
      }
      await announce(event, 'RequestResponse', 1);
      return await run(event);
    },
    async invokeAsync(target, payload) {
      const requestId = randomUUID();
      await Promise.resolve();
      enqueue(target, JSON.stringify(payload ?? {}), requestId);
      return { requestId };
    },
    logs: (functionName) => logs.get(functionName) ?? [],
    roleOf: keys.roleOf,
    credentialsOf: keys.variables,
    provideEnvironment(variables) {
      Object.assign(provided, variables);
    },
    async close() {
      await api.close();
      const drained = [queue.close(), executions.close()];
      await functions.closePools();
      await Promise.all(drained);
      await store.close();
    },
  };
}
