import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ForerunError, UNTOUCHED } from '../lambda/engine/errors.ts';
import type { Revision } from '../lambda/engine/migration.ts';
import { packageModule } from './bundling/package-source.ts';
import { type Reply, readReplies } from './bundling/worker-reply.ts';

/** What to bundle, and where to. */
export interface BundleOptions {
  /** Folder with the migration modules. */
  readonly directory: string;
  /** Folder for the code of the functions; made when it is not there. */
  readonly outdir: string;
  /** What the deploy tells migrations, to be held against their schemas. @default it is not looked at */
  readonly given?: GivenParams;
  /** Whether the worker's code is written as well. @default where a migration is a backfill */
  readonly worker?: boolean;
  /** Names of all environments there are; a migration that names another one is refused. @default they are not looked at */
  readonly environments?: readonly string[];
}

/** What a deploy tells migrations. */
export interface GivenParams {
  /** JSON. */
  readonly params: string;
  /** Migrations that are not meant for it are not asked. */
  readonly environment?: string | undefined;
}

/** A migration as the bundle lists it. */
export interface BundledRevision extends Revision {
  /** Present where a deploy runs it only once the app is live. */
  readonly phase?: 'after';
}

/** Migrations, read and found sound, with the code of the functions that carry them. */
export interface Bundle {
  /** Id of the last migration. */
  readonly head: string;
  /** Hexadecimal SHA-256 over ids, parents and checksums in history order, and over the repeatables. */
  readonly digest: string;
  /** In history order. */
  readonly migrations: readonly BundledRevision[];
  /** In the order in which they run after the history. */
  readonly repeatables: readonly Revision[];
  /** Folder with the runner's `index.mjs`, which exports `handler`. */
  readonly runner: string;
  /** Folder with the gate's `index.mjs`, which exports `handler`. */
  readonly gate: string;
  /** Folder with the worker's `index.mjs`, which exports `handler`; null where nothing needs a worker. */
  readonly worker: string | null;
  /** Absolute paths of the files that the migrations were read from, packages included. */
  readonly sources: readonly string[];
}

/** A module that does not load within this time never will. */
const TIMEOUT_MS = 120_000;

/** Node's exit code for a top-level await that can never come back. */
const UNSETTLED_AWAIT = 13;

/** Standard output is joined to standard error: what a module prints while it loads is no answer. */
const STDIO = ['pipe', 2, 2, 'pipe'] as const;

const WORKER = packageModule('infra/bundling/worker');

/** esbuild is over before its garbage weighs anything: collecting it less often saves a fifth of a bundling (measured). */
const surroundings = (): NodeJS.ProcessEnv => ({ GOGC: '400', ...process.env });

/** Reads, checks and compiles the migrations of a folder. Rejects with a `ForerunError`. */
export async function bundle(options: BundleOptions): Promise<Bundle> {
  const scratch = makeScratch();
  try {
    const child = spawn(process.execPath, [WORKER], {
      env: surroundings(),
      stdio: [...STDIO],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    // A worker that cannot read its request says more with its end than the broken pipe does.
    child.stdin?.on('error', () => undefined).end(requestOf(options, scratch));
    const answer = child.stdio[3];
    const [lines] = await Promise.all([
      answer !== undefined && answer !== null && 'read' in answer ? text(answer) : '',
      once(child, 'close'),
    ]);
    return conclude(lines, { exitCode: child.exitCode, signal: child.signalCode });
  } finally {
    removeScratch(scratch);
  }
}

/** The same for those who cannot wait, such as the constructor of a construct. */
export function bundleSync(options: BundleOptions): Bundle {
  const scratch = makeScratch();
  try {
    const { output, status, signal } = spawnSync(process.execPath, [WORKER], {
      env: surroundings(),
      stdio: [...STDIO],
      input: requestOf(options, scratch),
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: Number.MAX_SAFE_INTEGER,
      encoding: 'utf8',
    });
    return conclude(output[3] ?? '', { exitCode: status, signal });
  } finally {
    removeScratch(scratch);
  }
}

function requestOf(options: BundleOptions, scratch: string): string {
  return JSON.stringify({ ...options, scratch });
}

interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

function conclude(lines: string, end: WorkerEnd): Bundle {
  const last = readReplies(lines).at(-1);
  if (last?.kind === 'bundled') return last.bundle;
  if (end.signal !== null && end.signal !== 'SIGKILL') throw interrupted(end.signal);
  throw last === undefined ? silence(end) : refusalOf(last, end);
}

/** Ctrl-C in a terminal reaches the worker too; that says nothing about the migrations. */
function interrupted(signal: NodeJS.Signals): ForerunError {
  return new ForerunError('bundle-failed', {
    what: `The bundling of the migrations was interrupted (${signal}).`,
    state: UNTOUCHED,
    next: 'Start it again.',
  });
}

function silence({ exitCode }: WorkerEnd): ForerunError {
  return new ForerunError('bundle-failed', {
    what: `The process that bundles the migrations said nothing (exit code ${exitCode ?? 'none'}).`,
    state: UNTOUCHED,
    next: 'What it printed stands above; build again once that is mended.',
  });
}

function refusalOf(reply: Exclude<Reply, { kind: 'bundled' }>, { exitCode }: WorkerEnd): ForerunError {
  if (reply.kind === 'refused') return new ForerunError(reply.code, reply.text);
  if (reply.kind === 'crashed') {
    return new ForerunError('bundle-failed', {
      what: `The migrations could not be bundled: ${reply.message}`,
      state: UNTOUCHED,
      next: 'Mend what it names and build again; if it names nothing of yours, report it with this text.',
    });
  }
  return new ForerunError('migration-not-loadable', {
    what: `${reply.file} ${endOf(exitCode)} while it was loaded.`,
    state: UNTOUCHED,
    next: 'Work belongs into up and down; the rest of the module must load without a database.',
  });
}

function endOf(exitCode: number | null): string {
  if (exitCode === null) return `did not come to an end within ${TIMEOUT_MS / 1000} seconds`;
  if (exitCode === UNSETTLED_AWAIT) return 'waited at its top level for something that never comes';
  return `ended the process with exit code ${exitCode}`;
}

/** Made and removed here and not in the worker, which a module can end at any moment. */
function makeScratch(): string {
  return mkdtempSync(join(tmpdir(), 'forerun-'));
}

function removeScratch(scratch: string): void {
  rmSync(scratch, { recursive: true, force: true });
}
