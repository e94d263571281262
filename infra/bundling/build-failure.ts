import { resolve } from 'node:path';
import type { BuildFailure, Message } from 'esbuild';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';
import { shownPath } from './migration-files.ts';

/** Whether esbuild itself refused its input. */
export function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

/** What esbuild refused first, with file, line, column and a caret under the place. */
export function explainBuildFailure(failure: BuildFailure, directory: string): ForerunError {
  const [first] = failure.errors;
  if (first === undefined) return unreadable(failure.message, 'Mend the module and build again.', failure);
  const missing = /^Could not resolve "(.*)"$/.exec(first.text)?.[1];
  if (missing === undefined) {
    return unreadable(`${place(first, directory)}: ${first.text}.`, `Mend it here:${frame(first)}`, failure);
  }
  return unreadable(
    `${place(first, directory)} imports '${missing}', which is not there.`,
    `${/^[./]/.test(missing) ? 'Correct the path' : 'Install the package'}, or remove the import:${frame(first)}`,
    failure,
  );
}

function unreadable(what: string, next: string, cause: unknown): ForerunError {
  return new ForerunError('migration-not-loadable', { what, state: UNTOUCHED, next }, { cause });
}

function place({ location }: Message, directory: string): string {
  if (location === null) return 'A migration';
  const file = shownPath(directory, resolve(directory, location.file));
  return `${file}:${location.line}:${charactersBefore(location) + 1}`;
}

function frame({ location }: Message): string {
  if (location === null) return '';
  const margin = `  ${location.line} | `;
  return `\n${margin}${location.lineText}\n${' '.repeat(margin.length + charactersBefore(location))}^`;
}

/** esbuild counts columns in bytes of UTF-8, people in characters. */
function charactersBefore({ lineText, column }: NonNullable<Message['location']>): number {
  return Buffer.from(lineText).subarray(0, column).toString().length;
}
