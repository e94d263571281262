import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ForerunError, UNTOUCHED } from '../../lambda/engine/errors.ts';
import { listStacks, type ListedStack } from '../../local/cloudformation/assembly.ts';
import { LocalError, type LocalErrorCode } from '../../local/errors.ts';
import type { Command, Output } from '../command.ts';
import type { Happening } from '../rehearsal/happening.ts';
import { narrator } from '../rehearsal/narrate.ts';
import { byPlace, chooseStacks, placeText } from './rehearse/choose-stacks.ts';
import { findFault } from './rehearse/find-fault.ts';
import { play, type Played, type Release } from './rehearse/play.ts';
import { progressTo, type Progress } from '../terminal/progress.ts';
import { releaseAt } from './rehearse/release-at.ts';
import { standingsIn } from './rehearse/standings.ts';
import { assemblyIn, synthesise, type Synthesised } from './rehearse/synthesise.ts';
import { EXIT_CODES, tellVerdict, verdictOf } from './rehearse/verdict.ts';

/** What a shell reports for a program that Ctrl-C ended. */
const STOPPED = 130;

/** Names the deploy of a release that was built for `--from`: a build service's own variable names the one of today. */
const DEPLOY_ID_CONTEXT = 'forerun:deployId';

/** What CloudFormation says before it touches anything. */
const REFUSALS: ReadonlySet<LocalErrorCode> = new Set(['deploy-impossible', 'template-unsupported']);

const OPTIONS = {
  app: { type: 'string' },
  assembly: { type: 'string' },
  from: { type: 'string' },
  stack: { type: 'string', multiple: true },
  fail: { type: 'string', multiple: true },
  params: { type: 'string', default: '{}' },
  context: { type: 'string', short: 'c', multiple: true },
  json: { type: 'boolean', default: false },
} as const;

/** Plays the deploy of a CDK app on this machine, with every failure that is wished. */
export const rehearse: Command = {
  name: 'rehearse',
  summary: 'play the deploy of your CDK app on this machine',
  help: `usage: forerun rehearse [--from <git ref>] [--fail <resource>] [options]

Synthesises the CDK app of this folder and plays its deploy: the real template, the real
bundles, every role held to its policies, and an embedded PostgreSQL (or the one that
DATABASE_URL names). Nothing is sent to AWS.

  --from      the release that stands, as a git ref: it is built and deployed first, and the
              rehearsal is an update of it. Without it, the first deploy of the stack
  --fail      a resource that shall fail, by logical id or construct path; may be repeated
  --stack     name of a stack; may be repeated. By default all that hold Migrations,
              with the stacks that they need
  --params    values of template parameters, as a JSON object
  --context   a context value, as key=value; may be repeated
  --app       the command that synthesises, instead of the one in cdk.json
  --assembly  a folder with a cloud assembly; nothing is synthesised then
  --json      print what happens as JSON lines

exit codes: 0 the deploy would go through · 1 it would fail, and the stack would come home, or
            a grant is missing · 2 nothing was rehearsed; the message says why · 3 it would
            fail, and the stack would be stuck · 130 stopped by Ctrl-C`,
  async run(args, output) {
    const { values } = parseArgs({ args: [...args], options: OPTIONS });
    const stopper = new AbortController();
    const stop = (): void => stopper.abort();
    // A terminal and npx may both pass one Ctrl-C on: the second must not cut the tidying up short.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
    const folder = mkdtempSync(join(tmpdir(), 'forerun-rehearse-'));
    const progress = progressTo(process.stderr, output);
    try {
      return await rehearseApp(values, { folder, signal: stopper.signal, output, progress });
    } catch (cause) {
      if (stopper.signal.aborted) return STOPPED;
      if (!(cause instanceof LocalError) || !REFUSALS.has(cause.code)) throw cause;
      progress.end();
      output.err(`CloudFormation would refuse this deploy: ${cause.message}`);
      output.err(
        cause.message.startsWith('Parameters:')
          ? 'Give template parameters their values with --params.'
          : 'Mend the app, and rehearse again.',
      );
      return EXIT_CODES['comes home'];
    } finally {
      progress.end();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

interface Wishes {
  readonly app?: string | undefined;
  readonly assembly?: string | undefined;
  readonly from?: string | undefined;
  readonly stack?: readonly string[] | undefined;
  readonly fail?: readonly string[] | undefined;
  readonly params: string;
  readonly context?: readonly string[] | undefined;
  readonly json: boolean;
}

interface Around {
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly output: Output;
  readonly progress: Progress;
}

async function rehearseApp(wishes: Wishes, around: Around): Promise<number> {
  const { signal, output, progress } = around;
  const parameters = parametersOf(wishes.params);
  const context = contextOf(wishes.context ?? []);
  progress.say('Synthesising the app');
  const now = await synthesiseNow(wishes, context, around);
  const all = await listStacks(now.assembly);
  const stacks = chooseStacks(all, wishes.stack ?? []);
  const templates = all.flatMap((stack) => stack.templates);
  const faults = (wishes.fail ?? []).map((wish) => findFault(wish, templates));
  const before =
    wishes.from === undefined ? null : await synthesiseBefore(wishes.from, wishes, context, around);

  const standingOf = standingsIn([...templates, ...(before?.all ?? []).flatMap((stack) => stack.templates)]);
  const narrate = narrator(output.out, standingOf);
  const tell = (happening: Happening): void => {
    progress.end();
    if (wishes.json) output.out(JSON.stringify(happening));
    else narrate(happening);
  };
  if (!wishes.json) {
    progress.end();
    output.out('Forerun rehearses the deploy on this machine: real template, real bundles, real PostgreSQL.');
    for (const note of new Set(now.notes)) output.out(`Note: ${note}`);
  }
  const played: Played[] = [];
  let deploys = 0;
  const groups = byPlace(stacks);
  for (const group of groups) {
    progress.say('Starting a database');
    const release = { assembly: now.assembly, all, stacks: group.stacks, words: 'as it is now' };
    const stood = before === null ? null : standing(before, group.stacks);
    const databaseUrl = process.env['DATABASE_URL'] || undefined;
    const { place } = group;
    const where = groups.length === 1 ? null : placeText(place);
    const options = { place, where, release, before: stood, faults, parameters, databaseUrl, signal };
    played.push(await play(options, deploys, tell));
    deploys += release.stacks.length + (stood?.stacks.length ?? 0);
    if (verdictOf(played) !== 'goes through') break;
  }
  if (signal.aborted) return STOPPED;
  progress.end();
  const verdict = verdictOf(played);
  if (wishes.json)
    output.out(JSON.stringify({ type: 'verdict', verdict, exitCode: EXIT_CODES[verdict], played }));
  else tellVerdict(played, output.out);
  return EXIT_CODES[verdict];
}

async function synthesiseNow(
  { assembly, app }: Wishes,
  context: Readonly<Record<string, unknown>>,
  { folder, signal }: Around,
): Promise<Synthesised> {
  if (assembly !== undefined) return assemblyIn(resolve(assembly));
  return synthesise({ directory: process.cwd(), folder: join(folder, 'now'), app, context, signal });
}

interface Before {
  readonly assembly: string;
  readonly all: readonly ListedStack[];
  readonly words: string;
}

async function synthesiseBefore(
  ref: string,
  { app }: Wishes,
  context: Readonly<Record<string, unknown>>,
  { folder, signal, progress }: Around,
): Promise<Before> {
  progress.say(`Synthesising the app as of ${ref}`);
  const release = releaseAt(ref, process.cwd(), join(folder, 'before'));
  try {
    const { assembly } = await synthesise({
      directory: release.directory,
      folder: join(folder, 'before'),
      app,
      context: { [DEPLOY_ID_CONTEXT]: release.commit, ...context },
      signal,
    });
    return {
      assembly,
      all: await listStacks(assembly),
      words: `as of ${ref} (${release.commit.slice(0, 7)})`,
    };
  } finally {
    release.remove();
  }
}

/** Of an earlier release, the stacks that have the names of these; one that is new has none. */
function standing({ assembly, all, words }: Before, stacks: readonly ListedStack[]): Release {
  const isThere = (one: ListedStack): boolean =>
    stacks.some(
      (other) => other.name === one.name && other.account === one.account && other.region === one.region,
    );
  return { assembly, all, words, stacks: all.filter(isThere) };
}

function parametersOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // Said below.
  }
  throw new ForerunError('input-invalid', {
    what: '--params is no JSON object.',
    state: UNTOUCHED,
    next: `Write it in quotes, for example --params '{"Stage":"test"}'.`,
  });
}

function contextOf(pairs: readonly string[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const [key = '', ...value] = pair.split('=');
      if (key !== '' && value.length > 0) return [key, value.join('=')];
      throw new ForerunError('input-invalid', {
        what: `--context ${pair} is no key=value.`,
        state: UNTOUCHED,
        next: 'Write --context key=value.',
      });
    }),
  );
}
