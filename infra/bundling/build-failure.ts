import { resolve } from 'node:path';
import type { BuildFailure, Message } from 'esbuild';
import * as v from 'valibot';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';
import { shownPath } from './migration-files.ts';
import { OutsideCode } from './outside-code.ts';
import { frameOf } from './source-place.ts';

/** Whether esbuild itself refused its input. */
export function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

/** What was refused first, with file, line, column and a caret under the place. */
export function explainBuildFailure(failure: BuildFailure, directory: string): ForerunError {
  for (const message of failure.errors) {
    // Our own refusals tell the cause; what esbuild says besides may only follow from it.
    if (message.detail instanceof ForerunError) return message.detail;
    if (v.is(OutsideCode, message.detail)) return outsideCode(message, message.detail.outside, directory);
  }
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

function outsideCode(message: Message, outside: string, directory: string): ForerunError {
  return unreadable(
    `${place(message, directory)} imports ${outside}, which lies outside the migrations folder: a migration must not change when the app's models or settings do.`,
    `Copy what it needs into the migrations folder (a name that begins with "_" makes no migration), or import types only; code kept for migrations says so in its package.json, "forerun": { "migrations": true }:${frame(message)}`,
    undefined,
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
  const { line, lineText } = location;
  return frameOf({ line, lineText, column: charactersBefore(location) + 1 });
}

/** esbuild counts columns in bytes of UTF-8, people in characters. */
function charactersBefore({ lineText, column }: NonNullable<Message['location']>): number {
  return Buffer.from(lineText).subarray(0, column).toString().length;
}
