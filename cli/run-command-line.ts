import { ForerunError } from '../lambda/engine/errors.ts';
import { LocalError } from '../local/errors.ts';
import type { Command, Output } from './command.ts';
import { check } from './commands/check.ts';
import { local } from './commands/local.ts';
import { newMigration } from './commands/new.ts';
import { rehearse } from './commands/rehearse.ts';

const COMMANDS: readonly Command[] = [newMigration, check, rehearse, local];

/** Exit code for a command line that is not understood; the same as for any other bad input. */
const MISUSED = 2;

/** Runs one command line and resolves with its exit code; nothing is thrown for what a user can mend. */
export async function runCommandLine(argv: readonly string[], output: Output): Promise<number> {
  const [name = '--help', ...args] = argv;
  if (name === '--help' || name === '-h' || name === 'help') {
    output.out(overview());
    return 0;
  }
  const command = COMMANDS.find((one) => one.name === name);
  if (command === undefined) {
    output.err(`There is no command "${name}". Run forerun --help for the list.`);
    return MISUSED;
  }
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
    output.err(`${cause.text.what}\n${cause.text.state}\n${cause.text.next}`);
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
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `usage: forerun <command> [options]

${lines.join('\n')}

forerun <command> --help tells more about each.`;
}
