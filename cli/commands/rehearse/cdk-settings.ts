import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { ForerunError, UNTOUCHED } from '../../../lambda/engine/errors.ts';

/** What `cdk.json` and `cdk.context.json` say, as far as a synth needs it. */
export interface CdkSettings {
  /** The command that synthesises, or a folder with a cloud assembly. */
  readonly app: string | undefined;
  /** A command that runs before. */
  readonly build: string | undefined;
  readonly context: Readonly<Record<string, unknown>>;
}

const fileSchema = v.object({
  app: v.optional(v.string()),
  build: v.optional(v.string()),
  context: v.optional(v.record(v.string(), v.unknown()), {}),
});

/** Reads both files of a folder; what `cdk.json` says counts more. */
export function readCdkSettings(directory: string): CdkSettings {
  const { app, build, context } = v.parse(fileSchema, readJson(directory, 'cdk.json'));
  const looked = v.parse(v.record(v.string(), v.unknown()), readJson(directory, 'cdk.context.json'));
  return { app, build, context: { ...looked, ...context } };
}

function readJson(directory: string, name: string): unknown {
  const file = join(directory, name);
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ForerunError(
      'input-invalid',
      { what: `${name} is no JSON.`, state: UNTOUCHED, next: `Mend ${file}.` },
      { cause },
    );
  }
}
