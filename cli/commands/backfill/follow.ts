import { setTimeout as wait } from 'node:timers/promises';
import { ForerunError } from '../../../lambda/engine/errors.ts';
import type { BackfillData } from '../../../lambda/engine/backfill/operate.ts';
import { allRangesDone } from '../../../lambda/engine/backfill/progress.ts';
import { barLines, progressLine } from '../../runner/progress-bar.ts';
import { eventOf, type Around, type Given } from '../../runner/runner-command.ts';
import { errorsOf } from '../../runner/tell-answer.ts';
import { visible } from '../../terminal/visible.ts';
import { liveLines, type Stream } from '../../terminal/live-lines.ts';
import { inCommandWords } from '../../runner/command-words.ts';

/** Where no terminal is, a line at most this often, and one for each change of state. */
const PLAIN_LINE_EVERY_MS = 10_000;

/** So many polls in a row may go wrong: whoever watches for hours meets a hiccup now and then. */
const HICCUPS = 5;

/** @throws ForerunError what the runner says no to */
async function listBackfills(
  id: string | undefined,
  given: Given,
  { client, signal }: Around,
): Promise<readonly BackfillData[]> {
  const answer = await client.ask(eventOf('backfills', { backfill: id }, given), 'read', signal);
  if ('backfills' in answer) return answer.backfills.map(({ batches: _batches, ...one }) => one);
  const [error] = errorsOf(answer);
  const code = error?.code === 'backfill-refused' ? error.code : 'runner-unanswered';
  throw new ForerunError(code, {
    what: inCommandWords(
      visible(error?.text.what ?? 'The runner answered something else than it was asked.'),
    ),
    state: 'Nothing was changed: this command only reads.',
    next: inCommandWords(visible(error?.text.next ?? 'Run the command again.')),
  });
}

/** Shows how far backfills are, again and again. */
export interface ProgressView {
  show(backfills: readonly BackfillData[]): void;
  /** Something else is written now. */
  clear(): void;
}

/** A bar on a terminal, plain lines where there is none, JSON lines where they are asked for. */
export function progressView(
  stream: Stream,
  { output, isJson }: Pick<Around, 'output' | 'isJson'>,
): ProgressView {
  const live = liveLines(stream);
  const said = new Map<string, { readonly line: string; readonly state: string; readonly atMs: number }>();
  const sayPlain = (backfill: BackfillData): void => {
    const { id, state } = backfill;
    const line = progressLine(backfill);
    const last = said.get(id);
    const isDue = last === undefined || last.state !== state || Date.now() - last.atMs >= PLAIN_LINE_EVERY_MS;
    if (!isDue || last?.line === line) return;
    said.set(id, { line, state, atMs: Date.now() });
    output.out(line);
  };
  return {
    show(backfills) {
      if (isJson) output.out(JSON.stringify({ backfills }));
      else if (stream.isTTY === true) live.show(backfills.flatMap((one) => barLines(one)));
      else for (const one of backfills) sayPlain(one);
    },
    clear: live.clear,
  };
}

/** Asks every few seconds until it is over, for one backfill or for all; a poll that fails is made up for. */
export async function poll(
  id: string | undefined,
  every: number,
  given: Given,
  around: Around,
  see: (all: readonly BackfillData[]) => 'go on' | 'over',
): Promise<void> {
  for (let hiccups = 0; ;) {
    try {
      if (see(await listBackfills(id, given, around)) === 'over') return;
      hiccups = 0;
    } catch (cause) {
      const mayPass = cause instanceof ForerunError && cause.code === 'runner-unanswered';
      hiccups += 1;
      if (!mayPass || around.signal.aborted || hiccups >= HICCUPS) throw cause;
    }
    await wait(every * 1_000, undefined, { signal: around.signal });
  }
}

export const EVERY_OPTION = { every: { type: 'string', default: '3' } } as const;

export const EVERY_HELP = `  --every    seconds between two looks (default: 3); each is one call of the runner and one
             of the Data API`;

/** Whether somebody can work on it. One that a deploy waits for only the deploy itself records, once its rows are done. */
export const isOpen = (one: BackfillData): boolean =>
  (one.state === 'enqueued' || one.state === 'running') && !isForDeploy(one);

/** Whether all that is left is the next deploy's. */
export const isForDeploy = (one: BackfillData): boolean =>
  one.state === 'running' && one.hold && allRangesDone(one);
