/** Where a command writes to, so that tests and the demo can listen. */
export interface Output {
  out(line: string): void;
  err(line: string): void;
}

/** One verb of the command line, or several under one name. */
export interface Command {
  /** The words behind `forerun`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` prints. */
  readonly help: string;
  /** Resolves with the exit code. */
  run(args: readonly string[], output: Output): Promise<number>;
}

/** Commands under one name; the word behind it chooses. */
export interface CommandGroup extends Pick<Command, 'name' | 'summary' | 'help'> {
  readonly verbs: readonly Command[];
}
