import { ForerunError } from '../lambda/engine/errors.ts';
import { LocalError } from '../local/errors.ts';
import type { Command, CommandGroup, Output } from './command.ts';
import { backfill } from './commands/backfill.ts';
import { check } from './commands/check.ts';
import { down } from './commands/down.ts';
import { history } from './commands/history.ts';
import { local } from './commands/local.ts';
import { newMigration } from './commands/new.ts';
import { plan } from './commands/plan.ts';
import { rehearse } from './commands/rehearse.ts';
import { repair } from './commands/repair.ts';
import { stamp } from './commands/stamp.ts';
import { status } from './commands/status.ts';
import { unlock } from './commands/unlock.ts';
import { up } from './commands/up.ts';
import { visibleLines } from './terminal/visible.ts';

type Entry = Command | CommandGroup;

/** Two lists: what works on this machine, and what asks a deployed runner. */
const HERE: readonly Entry[] = [newMigration, check, rehearse, local];
const DEPLOYED: readonly Entry[] = [status, plan, history, up, down, backfill, unlock, repair, stamp];
const COMMANDS: readonly Entry[] = [...HERE, ...DEPLOYED];

/** Exit code for a command line that is not understood; the same as for any other bad input. */
const MISUSED = 2;

/** Runs one command line and resolves with its exit code; nothing is thrown for what a user can mend. */
export async function runCommandLine(argv: readonly string[], output: Output): Promise<number> {
  const [name = '--help', ...args] = argv;
  if (name === '--help' || name === '-h' || name === 'help') {
    output.out(overview());
    return 0;
  }
  const entry = COMMANDS.find((one) => one.name === name);
  if (entry === undefined) {
    output.err(`There is no command "${name}". Run forerun --help for the list.`);
    return MISUSED;
  }
  if (!('verbs' in entry)) return runCommand(entry, args, output);
  const [verb, ...rest] = args;
  const chosen = entry.verbs.find((one) => one.name === `${name} ${verb}`);
  if (chosen !== undefined) return runCommand(chosen, rest, output);
  if (verb === undefined || verb === '--help' || verb === '-h') {
    output.out(entry.help);
    return 0;
  }
  output.err(`There is no command "${name} ${verb}". Run forerun ${name} --help for the list.`);
  return MISUSED;
}

async function runCommand(command: Command, args: readonly string[], output: Output): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    output.out(command.help);
    return 0;
  }
  try {
    return await command.run(args, output);
  } catch (cause) {
    return explain(cause, command, output);
  }
}

function explain(cause: unknown, command: Command, output: Output): number {
  if (cause instanceof ForerunError) {
    output.err(visibleLines(`${cause.text.what}\n${cause.text.state}\n${cause.text.next}`));
    return cause.exitCode;
  }
  if (cause instanceof LocalError) {
    output.err(cause.message);
    return 1;
  }
  if (cause instanceof TypeError && 'code' in cause && String(cause.code).startsWith('ERR_PARSE_ARGS')) {
    output.err(`${cause.message}\n\n${command.help}`);
    return MISUSED;
  }
  throw cause;
}

function overview(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const listed = (entries: readonly Entry[]): string =>
    entries.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n');
  return `usage: forerun <command> [options]

on this machine:
${listed(HERE)}

at a deployed runner (--runner <name or ARN>, or FORERUN_RUNNER):
${listed(DEPLOYED)}

forerun <command> --help tells more about each.`;
}
