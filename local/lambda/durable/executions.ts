import { randomUUID } from 'node:crypto';

import type { Clock } from '../../clock.ts';
import type { Functions, Resolved } from '../functions.ts';
import type { DurableSettings } from '../function-settings.ts';
import { failed, type Outcome } from '../invocation.ts';
import { LambdaServiceError } from '../service-error.ts';
import { startExecution, type Execution } from './execution.ts';
import { invalid } from './read-updates.ts';

/** An execution with what the API says of it. */
export interface KnownExecution {
  readonly arn: string;
  readonly name: string;
  /** With the version that it runs on. */
  readonly functionArn: string;
  readonly functionName: string;
  readonly version: string;
  /** JSON text. */
  readonly input: string;
  readonly settings: DurableSettings;
  readonly execution: Execution;
}

/** The durable executions of an account in a region. */
export interface Executions {
  /** Starts one, or gives the one that was started by the same name and input. */
  readonly start: (request: StartRequest) => KnownExecution;
  /** Refuses an ARN that nothing is known of. */
  readonly get: (arn: string) => KnownExecution;
  /** In the order of their starts. */
  readonly list: (functionName: string) => readonly KnownExecution[];
  /** Stops what runs on a function, or on one of its versions, that is being deleted. */
  readonly stopAllOn: (functionName: string, version?: string) => void;
  readonly close: () => Promise<void>;
}

export interface StartRequest {
  readonly target: Resolved;
  /** Invented when absent. */
  readonly name: string | undefined;
  /** JSON text. */
  readonly input: string;
}

export interface ExecutionsOptions {
  readonly functions: Functions;
  readonly clock: Clock;
  /** Invokes a function version. */
  readonly run: (versionArn: string, event: string, attempt: number) => Promise<Outcome>;
}

const NAME = /^[a-zA-Z0-9_-]{1,64}$/;
const DAY_MS = 86_400_000;

/** Makes an account without executions. */
export function createExecutions({ functions, clock, run }: ExecutionsOptions): Executions {
  const all = new Map<string, KnownExecution>();

  /** After their time of retention executions are forgotten, and their names are free again. */
  const kept = (): readonly KnownExecution[] => {
    for (const { arn, execution, settings } of all.values()) {
      const { endedAt } = execution.state();
      if (endedAt !== undefined && endedAt + settings.retentionDays * DAY_MS < clock.now()) {
        all.delete(arn);
      }
    }
    return [...all.values()];
  };
  const invokeVersion = async (versionArn: string, event: string, attempt: number): Promise<Outcome> => {
    try {
      return await run(versionArn, event, attempt);
    } catch (error) {
      if (error instanceof LambdaServiceError) {
        return failed({ errorType: error.code, errorMessage: error.message });
      }
      throw error;
    }
  };

  return {
    start({ target: { version, isQualified }, name = randomUUID(), input }) {
      const { durable } = version.settings;
      if (durable === undefined) {
        throw invalid(`${version.name} is no durable function: an execution needs one.`);
      }
      if (!isQualified) {
        throw invalid('You cannot invoke a durable function using an unqualified ARN.');
      }
      if (!NAME.test(name)) {
        throw invalid(
          `Value '${name}' at 'durableExecutionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+ of at most 64 characters`,
        );
      }
      const same = kept().find((each) => each.functionName === version.name && each.name === name);
      if (same !== undefined) {
        if (same.input !== input) {
          throw new LambdaServiceError(
            'DurableExecutionAlreadyStartedException',
            `Durable execution with name ${name} has already been started with another payload.`,
          );
        }
        return same;
      }
      const id = randomUUID();
      const functionArn = functions.arnOf(version.name, version.version);
      const arn = `${functionArn}/durable-execution/${name}/${id}`;
      const known: KnownExecution = {
        arn,
        name,
        functionArn,
        functionName: version.name,
        version: version.version,
        input,
        settings: durable,
        execution: startExecution({
          arn,
          id,
          input,
          clock,
          timeoutSeconds: durable.executionTimeoutSeconds,
          invoke: (event, attempt) => invokeVersion(functionArn, event, attempt),
        }),
      };
      all.set(arn, known);
      return known;
    },
    get(arn) {
      const known = kept().find((each) => each.arn === arn);
      if (known === undefined) {
        throw new LambdaServiceError('ResourceNotFoundException', `Durable execution not found: ${arn}`);
      }
      return known;
    },
    list: (functionName) => kept().filter((each) => each.functionName === functionName),
    stopAllOn(functionName, version) {
      for (const each of kept()) {
        if (each.functionName === functionName && (version === undefined || version === each.version)) {
          each.execution.stop();
        }
      }
    },
    async close() {
      await Promise.all([...all.values()].map((each) => each.execution.close()));
    },
  };
}
