import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';
import type { Command, Output } from '../command.ts';
import { progressTo } from '../terminal/progress.ts';
import { visible } from '../terminal/visible.ts';
import { runnerClient, type RunnerAsk, type RunnerClient } from './ask-runner.ts';
import { RUNNER_VARIABLE, runnerName, type Alias } from './runner-name.ts';
import { answerLines, errorLines, exitCodeOf } from './tell-answer.ts';

/** What was typed behind a verb. */
export interface Given {
  /** Undefined where it was left out. */
  text(option: string): string | undefined;
  isSet(option: string): boolean;
  /** @throws ForerunError `input-invalid` for what is no whole number */
  count(option: string): number | undefined;
  /** @throws ForerunError `input-invalid` for what is no JSON object */
  object(option: string): object | undefined;
  /** The word behind the verb. @throws ForerunError `input-invalid` for more than one, or for none where one is `needed` */
  word(name: string, needed: boolean): string | undefined;
}

/** One thing that a runner is asked for. */
export interface RunnerVerb {
  readonly name: string;
  readonly summary: string;
  /** Behind `usage: forerun <name>`. */
  readonly usage: string;
  /** Paragraphs and options, without those that every verb has. */
  readonly help: string;
  readonly options?: ParseArgsOptionsConfig;
  readonly alias: Alias;
  event(given: Given): RunnerAsk;
}

/** Around one ask of a person. */
export interface Around {
  readonly client: RunnerClient;
  readonly output: Output;
  readonly isJson: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

const COMMON_OPTIONS = {
  runner: { type: 'string' },
  target: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const satisfies ParseArgsOptionsConfig;

export const COMMON_HELP = `  --runner   name or ARN of the runner, with or without alias; by default what the variable
             ${RUNNER_VARIABLE} says. Region and credentials as for every client of AWS
  --target   JSON object that leads to another database than the runner's own, such as
             '{"database":"other"}' or '{"history":"billing"}'
  --json     print the runner's answer as it is`;

export const EXIT_CODES_HELP = `exit codes: 0 all went as asked · otherwise that of the error (docs/errors.md) · 130 stopped by Ctrl-C`;

/** What a shell reports for a program that Ctrl-C ended. */
const STOPPED = 130;

/** A command that sends one event to the runner and tells its answer. */
export function runnerCommand(verb: RunnerVerb): Command {
  const { name, summary, usage, help, options = {}, alias } = verb;
  return {
    name,
    summary,
    help: `usage: forerun ${name} ${usage === '' ? '' : `${usage} `}[--runner <runner>] [options]

${help}
${COMMON_HELP}

${EXIT_CODES_HELP}`,
    async run(args, output) {
      const given = read(args, options);
      return withRunner(given, output, (around) => askAndTell(verb.event(given), alias, around));
    },
  };
}

/** Reads what was typed; options that are not known are refused. */
export function read(args: readonly string[], options: ParseArgsOptionsConfig): Given {
  const parsed = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { ...options, ...COMMON_OPTIONS },
  });
  const { positionals } = parsed;
  const values: Readonly<Record<string, unknown>> = parsed.values;
  const text = (option: string): string | undefined => {
    const value = values[option];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    text,
    isSet: (option) => values[option] === true,
    count(option) {
      const value = text(option);
      if (value === undefined || /^\d{1,9}$/.test(value)) return value === undefined ? value : Number(value);
      throw misused(`--${option} takes a whole number, not "${value}".`);
    },
    object(option) {
      const value = text(option);
      if (value === undefined) return undefined;
      const parsed = objectIn(value);
      if (parsed !== null) return parsed;
      throw misused(`--${option} is no JSON object.`);
    },
    word(name, needed) {
      const [first, second] = positionals;
      if (second !== undefined) throw misused(`One ${name} is taken, and not "${positionals.join(' ')}".`);
      if (first === undefined && needed) throw misused(`The ${name} is missing.`);
      return first;
    },
  };
}

/** Gives a client to the work and stands by for Ctrl-C. What comes from a runner is printed line by line, and can be nothing else. */
export async function withRunner(
  given: Given,
  output: Output,
  work: (around: Around) => Promise<number>,
): Promise<number> {
  const client = runnerClient(runnerName(given.text('runner'), process.env));
  const stopper = new AbortController();
  const stop = (): void => stopper.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  try {
    const shown: Output = {
      out: (line) => output.out(visible(line)),
      err: (line) => output.err(visible(line)),
    };
    return await work({ client, output: shown, isJson: given.isSet('json'), signal: stopper.signal });
  } catch (cause) {
    if (stopper.signal.aborted) return STOPPED;
    throw cause;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    client.close();
  }
}

/** One ask, and its answer for a person or as it is. */
export async function askAndTell(ask: RunnerAsk, alias: Alias, around: Around): Promise<number> {
  const { client, output, isJson, signal } = around;
  const progress = progressTo(process.stderr, { err: () => undefined });
  progress.say(`The runner works on ${ask.action}`);
  try {
    const answer = await client.ask(ask, alias, signal);
    progress.end();
    if (isJson) {
      output.out(JSON.stringify(answer));
    } else {
      for (const line of answerLines(answer)) output.out(line);
      for (const line of errorLines(answer)) output.err(line);
    }
    return exitCodeOf(answer);
  } catch (cause) {
    progress.end();
    if (signal.aborted && alias === 'act') {
      output.err(
        `Stopped waiting. The runner goes on with ${ask.action}: it cannot be called back. Look with forerun status.`,
      );
    }
    throw cause;
  }
}

/** An event without the members that nobody gave. */
export function eventOf(
  action: RunnerAsk['action'],
  members: Readonly<Record<string, unknown>>,
  given: Given,
): RunnerAsk {
  const all = Object.entries({ ...members, target: given.object('target') });
  return { action, ...Object.fromEntries(all.filter(([, value]) => value !== undefined)) };
}

const misused = (what: string): ForerunError =>
  new ForerunError('input-invalid', { what, state: UNTOUCHED, next: '--help tells how it is written.' });

function objectIn(text: string): object | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}
