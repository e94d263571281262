import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import * as v from 'valibot';
import { ForerunError, UNTOUCHED } from '../../../lambda/engine/errors.ts';
import { readCdkSettings } from './cdk-settings.ts';
import { runShell } from './run-shell.ts';

export interface SynthOptions {
  /** Folder with the app's `cdk.json`. */
  readonly directory: string;
  /** An empty folder of ours; the assembly goes below it. */
  readonly folder: string;
  /** Instead of the command in `cdk.json`. */
  readonly app: string | undefined;
  /** Context values that count more than those of the files. */
  readonly context: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
}

/** The assembly of an app. */
export interface Synthesised {
  readonly assembly: string;
  /** What the app says of itself that a person should know. */
  readonly notes: readonly string[];
}

const LONGEST_LINE = 500;
const MOST_LINES = 60;

/** What an app may read as its account and region where nobody has said one. */
const NOWHERE = { account: '111122223333', region: 'eu-west-1' };

/**
 * Synthesises an app as the CDK's own command line does: the command of `cdk.json` in a shell, with the folder for the assembly and
 * the context in its environment.
 *
 * @throws ForerunError `synth-failed` with what the app printed
 */
export async function synthesise(options: SynthOptions): Promise<Synthesised> {
  const { directory, folder, signal } = options;
  const settings = readCdkSettings(directory);
  const app = options.app ?? settings.app;
  if (app === undefined) {
    throw new ForerunError('input-invalid', {
      what: `Nothing says how to synthesise the app: ${directory} has no cdk.json with an "app".`,
      state: UNTOUCHED,
      next: 'Run it in the folder of your cdk.json, or give --app <command> or --assembly <folder>.',
    });
  }
  const asFolder = resolve(directory, app);
  if (statSync(asFolder, { throwIfNoEntry: false })?.isDirectory() === true) return assemblyIn(asFolder);

  mkdirSync(folder, { recursive: true });
  const outdir = join(folder, 'cdk.out');
  const contextFile = join(folder, 'context.json');
  const context = { 'aws:cdk:enable-path-metadata': true, ...settings.context, ...options.context };
  writeFileSync(contextFile, JSON.stringify(context));
  const env = {
    ...process.env,
    PATH: [join(directory, 'node_modules', '.bin'), process.env['PATH'] ?? ''].join(delimiter),
    CDK_OUTDIR: outdir,
    CDK_CONTEXT_JSON: '{}',
    // The CDK reads a context of any size from here.
    CONTEXT_OVERFLOW_LOCATION_ENV: contextFile,
    CDK_DEFAULT_ACCOUNT: process.env['CDK_DEFAULT_ACCOUNT'] ?? NOWHERE.account,
    CDK_DEFAULT_REGION: process.env['CDK_DEFAULT_REGION'] ?? process.env['AWS_REGION'] ?? NOWHERE.region,
  };
  for (const command of [settings.build, app]) {
    if (command === undefined) continue;
    const { code, output } = await runShell(command, { cwd: directory, env, signal });
    if (code !== 0) throw failed(`"${command}" ended with exit code ${code}.\n${readable(output)}`);
  }
  if (!existsSync(join(outdir, 'manifest.json'))) {
    throw failed(`"${app}" wrote no cloud assembly to the folder that CDK_OUTDIR names.`);
  }
  return assemblyIn(outdir);
}

/**
 * An assembly that is there already.
 *
 * @throws ForerunError `synth-failed` where the app itself has marked something as an error
 */
export function assemblyIn(assembly: string): Synthesised {
  const manifest = join(assembly, 'manifest.json');
  if (!existsSync(manifest)) {
    throw new ForerunError('input-invalid', {
      what: `There is no cloud assembly in ${assembly}.`,
      state: UNTOUCHED,
      next: 'Run cdk synth, or leave --assembly out.',
    });
  }
  const { errors, missing } = readNotes(assembly);
  if (errors.length > 0) throw failed(`The app marks an error:\n${errors.join('\n')}`);
  return {
    assembly,
    notes: missing.map(
      (key) => `The context value ${key} was never looked up; the CDK's placeholder stands.`,
    ),
  };
}

const annotationSchema = v.record(
  v.string(),
  v.array(v.object({ type: v.string(), data: v.optional(v.unknown()) })),
);

const manifestSchema = v.object({
  missing: v.optional(v.array(v.object({ key: v.string() })), []),
  artifacts: v.optional(
    v.record(
      v.string(),
      v.object({
        type: v.string(),
        metadata: v.optional(annotationSchema, {}),
        additionalMetadataFile: v.optional(v.string()),
        properties: v.optional(v.object({ directoryName: v.optional(v.string()) }), {}),
      }),
    ),
    {},
  ),
});

/** Errors that constructs have put up, and context that nobody has looked up; stages included. */
function readNotes(directory: string): { readonly errors: string[]; readonly missing: string[] } {
  const { artifacts, missing } = v.parse(manifestSchema, jsonIn(directory, 'manifest.json'));
  const found = { errors: [] as string[], missing: missing.map(({ key }) => key) };
  for (const { type, metadata, additionalMetadataFile, properties } of Object.values(artifacts)) {
    const more =
      additionalMetadataFile === undefined
        ? {}
        : v.parse(annotationSchema, jsonIn(directory, additionalMetadataFile));
    for (const [path, entries] of Object.entries({ ...metadata, ...more })) {
      for (const entry of entries) {
        if (entry.type === 'aws:cdk:error') found.errors.push(`${path}: ${String(entry.data)}`);
      }
    }
    if (type === 'cdk:cloud-assembly' && properties.directoryName !== undefined) {
      const inner = readNotes(join(directory, properties.directoryName));
      found.errors.push(...inner.errors);
      found.missing.push(...inner.missing);
    }
  }
  return found;
}

function jsonIn(directory: string, file: string): unknown {
  return JSON.parse(readFileSync(join(directory, file), 'utf8'));
}

/** Lines of minified code, which Node shows for an error in them, help nobody. */
function readable(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '' && line.length <= LONGEST_LINE);
  return lines.slice(-MOST_LINES).join('\n');
}

function failed(what: string): ForerunError {
  return new ForerunError('synth-failed', {
    what: `The app could not be synthesised. ${what}`,
    state: UNTOUCHED,
    next: 'Mend it until cdk synth works, then rehearse again.',
  });
}
