import type { MetricName } from './contract.ts';
import { metricLine } from './metric-line.ts';

export type Level = 'INFO' | 'WARN' | 'ERROR';

/** What every line of one invoke carries beside its own members. */
export interface LogContext {
  /** Lambda's id of this invoke. */
  readonly function_request_id: string;
  readonly runId?: string | undefined;
  readonly deployId?: string | undefined;
  /** Lambda's id of the gate's invoke for which this one works: the same in both logs. */
  readonly gateRequestId?: string | undefined;
}

export interface Log {
  readonly line: (level: Level, message: string, members?: object) => void;
  /** Writes values that CloudWatch makes metrics of, under the name of a runner. */
  readonly measure: (
    runner: string,
    values: Readonly<Partial<Record<MetricName, number | readonly number[]>>>,
    message: string,
    members?: object,
  ) => void;
  /** The lines that follow carry these, too. */
  readonly append: (context: Partial<LogContext>) => void;
}

/**
 * The log of one invoke: a line of JSON each, with the names that Powertools Logger gives level, message, timestamp, service and
 * request, so that queries written for it find ours (decision 0013). `hide` takes secrets out of what is written.
 */
export function openLog(context: LogContext, hide: (text: string) => string = (text) => text): Log {
  let carried: LogContext = context;
  // Text by text, so that a secret of digits or quotes cannot break the line.
  const shown = (_name: string, value: unknown): unknown => (typeof value === 'string' ? hide(value) : value);
  const write = (line: object): void => void process.stdout.write(`${JSON.stringify(line, shown)}\n`);
  const heading = (level: Level, message: string): object => ({
    level,
    message,
    timestamp: new Date().toISOString(),
    service: 'forerun',
    ...carried,
  });
  return {
    line(level, message, members = {}) {
      write({ ...heading(level, message), ...members });
    },
    measure(runner, values, message, members = {}) {
      write({ ...metricLine(runner, values, Date.now()), ...heading('INFO', message), ...members });
    },
    append(more) {
      carried = { ...carried, ...more };
    },
  };
}
