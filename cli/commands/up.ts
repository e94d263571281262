import { eventOf, runnerCommand } from '../runner/runner-command.ts';
import { PHASE_HELP, PHASE_OPTION, RUN_HELP, RUN_OPTIONS, runMembers } from '../runner/run-options.ts';
import { BY_HELP, BY_OPTION } from '../runner/spoken-options.ts';

/** Applies what is pending, as a deploy would. */
export const up = runnerCommand({
  name: 'up',
  summary: 'let the runner apply what is pending',
  usage: '[<migration>]',
  help: `Applies everything that is pending in the runner's release, or everything up to and
including <migration>. May take as long as a call of the runner does; do not worry about
stopping it: the next run goes on from what was committed.

${RUN_HELP}${PHASE_HELP}${BY_HELP}`,
  options: { ...RUN_OPTIONS, ...PHASE_OPTION, ...BY_OPTION },
  alias: 'act',
  event: (given) =>
    eventOf(
      'up',
      {
        to: given.word('migration', false),
        phase: given.text('phase'),
        by: given.text('by'),
        ...runMembers(given),
      },
      given,
    ),
});
