import { setTimeout as wait } from 'node:timers/promises';
import type { BackfillData } from '../../../lambda/engine/backfill/operate.ts';
import type { Command } from '../../command.ts';
import {
  askAndTell,
  COMMON_HELP,
  EXIT_CODES_HELP,
  eventOf,
  read,
  withRunner,
  type Around,
  type Given,
} from '../../runner/runner-command.ts';
import { errorLines, exitCodeOf } from '../../runner/tell-answer.ts';
import { EVERY_HELP, EVERY_OPTION, isOpen, poll, progressView } from './follow.ts';
import { tellEnd } from './watch.ts';

/** Works on backfills, call after call, and shows how far they are meanwhile. */
export const workOnBackfills: Command = {
  name: 'backfill work',
  summary: 'work on one, or on all that are open, until done',
  help: `usage: forerun backfill work [<backfill>] [--dry-run] [--runner <runner>] [options]

Lets the runner work on the backfill, or on all that are open, call after call until they are
done, and shows progress meanwhile. Ctrl-C ends it: the call under way goes on in the runner
to its end, and \`forerun backfill pause\` stops that too.

  --dry-run  run one batch of <backfill>, show some rows before and after, and roll it back
${EVERY_HELP}
${COMMON_HELP}

${EXIT_CODES_HELP}`,
  async run(args, output) {
    const given = read(args, { ...EVERY_OPTION, 'dry-run': { type: 'boolean', default: false } });
    const dryRun = given.isSet('dry-run');
    const event = eventOf(
      'backfill',
      { backfill: given.word('backfill', dryRun), dryRun: dryRun || undefined },
      given,
    );
    return withRunner(given, output, (around) =>
      dryRun ? askAndTell(event, 'act', around) : workOn(event, given, around),
    );
  },
};

async function workOn(event: ReturnType<typeof eventOf>, given: Given, around: Around): Promise<number> {
  const { client, output, isJson, signal } = around;
  const every = given.count('every') ?? 3;
  const view = progressView(process.stdout, around);
  const looking = new AbortController();
  const id = given.word('backfill', false);
  const until = AbortSignal.any([signal, looking.signal]);
  const look = poll(id, every, given, { ...around, signal: until }, (all) => {
    if (!looking.signal.aborted) view.show(id === undefined ? all.filter(isOpen) : all);
    return 'go on';
    // Who may act need not be allowed to look: the work goes on without a bar.
  }).catch(() => undefined);
  const done = new Map<string, BackfillData>();
  try {
    for (;;) {
      const answer = await client.ask(event, 'act', signal);
      if (!('backfills' in answer)) {
        view.clear();
        if (isJson) output.out(JSON.stringify(answer));
        else for (const line of errorLines(answer)) output.err(line);
        return exitCodeOf(answer);
      }
      for (const one of answer.backfills) done.set(one.id, one);
      if (!answer.ok || !answer.backfills.some(isOpen)) {
        view.clear();
        for (const { id, reason } of answer.passedOver ?? []) output.err(`Left alone: ${id}. ${reason}`);
        break;
      }
      await wait(Math.max(every * 1_000, answer.restMs ?? 0), undefined, { signal });
    }
  } finally {
    looking.abort();
    await look;
    view.clear();
    if (signal.aborted) {
      output.err(
        'Stopped. The call under way goes on in the runner to its end; forerun backfill pause <backfill> stops it.',
      );
    }
  }
  if (isJson) output.out(JSON.stringify({ backfills: [...done.values()] }));
  return tellEnd([...done.values()], around);
}
