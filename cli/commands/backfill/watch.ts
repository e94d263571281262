import { ERROR_CODES } from '../../../lambda/engine/errors.ts';
import type { BackfillData } from '../../../lambda/engine/backfill/operate.ts';
import type { Command } from '../../command.ts';
import { COMMON_HELP, read, withRunner, type Around, type Given } from '../../runner/runner-command.ts';
import { standstill } from '../../runner/tell-backfills.ts';
import { EVERY_HELP, EVERY_OPTION, isForDeploy, isOpen, poll, progressView } from './follow.ts';

/** Shows how far a backfill is until it ends. */
export const watchBackfill: Command = {
  name: 'backfill watch',
  summary: 'show how far one is, or all that are open, until they end',
  help: `usage: forerun backfill watch [<backfill>] [--runner <runner>] [options]

Shows progress until the backfill ends: a bar on a terminal, plain lines in a build, JSON
lines with --json. Only reads; stop it with Ctrl-C whenever you like.

${EVERY_HELP}
${COMMON_HELP}

exit codes: 0 succeeded, or all rows are done and the next deploy records it · 1 paused, failed or
            cancelled; the way out is printed · otherwise that of the error (docs/errors.md) ·
            130 stopped by Ctrl-C`,
  async run(args, output) {
    const given = read(args, EVERY_OPTION);
    const id = given.word('backfill', false);
    return withRunner(given, output, (around) => watch(id, given, around));
  },
};

async function watch(id: string | undefined, given: Given, around: Around): Promise<number> {
  const view = progressView(process.stdout, around);
  let followed: ReadonlySet<string> | null = null;
  let last: readonly BackfillData[] = [];
  try {
    await poll(id, given.count('every') ?? 3, given, around, (all) => {
      followed ??= new Set(id === undefined ? all.filter(isOpen).map((one) => one.id) : [id]);
      last = all.filter((one) => followed?.has(one.id));
      view.show(last);
      return last.some(isOpen) ? 'go on' : 'over';
    });
  } finally {
    view.clear();
  }
  return tellEnd(last, around);
}

/** The last words on backfills that nobody works on any more, and the exit code. */
export function tellEnd(
  ended: readonly BackfillData[],
  { output, isJson }: Pick<Around, 'output' | 'isJson'>,
): number {
  const stopped = ended.filter((one) => one.state !== 'succeeded' && !isForDeploy(one));
  if (!isJson) {
    if (ended.length === 0) output.out('No backfill is open.');
    for (const { id, changed } of ended.filter(({ state }) => state === 'succeeded')) {
      output.out(`${id} has succeeded: ${changed.toLocaleString('en')} rows changed.`);
    }
    for (const { id, changed } of ended.filter(isForDeploy)) {
      output.out(
        `${id}: all rows are done, ${changed.toLocaleString('en')} rows changed; the next deploy records it.`,
      );
    }
    for (const one of stopped) for (const line of standstill(one)) output.err(line);
  }
  return stopped.length === 0 ? 0 : ERROR_CODES['backfill-stopped'];
}
