import type { Command, CommandGroup } from '../command.ts';
import {
  COMMON_HELP,
  EXIT_CODES_HELP,
  eventOf,
  runnerCommand,
  type Given,
} from '../runner/runner-command.ts';
import { BY_HELP, BY_OPTION, REASON_HELP, REASON_OPTION } from '../runner/spoken-options.ts';
import { watchBackfill } from './backfill/watch.ts';
import { workOnBackfills } from './backfill/work.ts';

const list = runnerCommand({
  name: 'backfill list',
  summary: 'list all with state, progress and way out; or one with its batches',
  usage: '[<backfill>]',
  help: `Lists every backfill with its state, rows, rate and what is left. Of one that is named it shows
the ranges, too, how its batches went and what happened to it. Changes nothing.
`,
  alias: 'read',
  event: (given) => eventOf('backfills', { backfill: given.word('backfill', false) }, given),
});

const SPOKEN_OPTIONS = { ...REASON_OPTION, ...BY_OPTION };

const SPOKEN_HELP = `${REASON_HELP}
${BY_HELP}`;

const spokenMembers = (given: Given): Readonly<Record<string, unknown>> => ({
  reason: given.text('reason'),
  by: given.text('by'),
});

/** What moves a backfill along an edge of its states. */
const moves = (
  [
    ['pause', 'stop one; done when its batch under way is over'],
    ['resume', 'let a paused one go on from its cursor'],
    ['retry', 'let a failed or cancelled one go on from its cursor'],
    ['cancel', 'give one up; what is done stands'],
  ] as const
).map(([action, summary]) =>
  runnerCommand({
    name: `backfill ${action}`,
    summary,
    usage: '<backfill>',
    help: `${summary[0]?.toUpperCase()}${summary.slice(1)}.

${SPOKEN_HELP}`,
    options: SPOKEN_OPTIONS,
    alias: 'act',
    event: (given) =>
      eventOf(action, { backfill: given.word('backfill', true), ...spokenMembers(given) }, given),
  }),
);

const tune = runnerCommand({
  name: 'backfill tune',
  summary: 'change how hard one works, while it works',
  usage: '<backfill>',
  help: `Changes how hard a backfill works; its workers see it with their next batch.

  --most-rows  rows of a batch at most, 1 to 50000
  --pause-ms   pause between two batches at least, in milliseconds
  --parallel   ranges that are worked on at the same time, 1 to 16
${SPOKEN_HELP}`,
  options: {
    ...SPOKEN_OPTIONS,
    'most-rows': { type: 'string' },
    'pause-ms': { type: 'string' },
    parallel: { type: 'string' },
  },
  alias: 'act',
  event: (given) =>
    eventOf(
      'tune',
      {
        backfill: given.word('backfill', true),
        mostRows: given.count('most-rows'),
        pauseMs: given.count('pause-ms'),
        parallel: given.count('parallel'),
        ...spokenMembers(given),
      },
      given,
    ),
});

const VERBS: readonly Command[] = [list, watchBackfill, workOnBackfills, ...moves, tune];

const shortName = ({ name }: Command): string => name.slice('backfill '.length);

/** Everything that is asked of backfills, by a verb of its own. */
export const backfill: CommandGroup = {
  name: 'backfill',
  summary: 'list, watch, work on, pause and tune backfills',
  help: `usage: forerun backfill <verb> [<backfill>] [--runner <runner>] [options]

${VERBS.map((verb) => `  ${shortName(verb).padEnd(7)}  ${verb.summary}`).join('\n')}

${COMMON_HELP}

forerun backfill <verb> --help tells more about each.
${EXIT_CODES_HELP}`,
  verbs: VERBS,
};
