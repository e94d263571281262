import { eventOf, runnerCommand } from '../runner/runner-command.ts';
import { PHASE_HELP, PHASE_OPTION, RUN_HELP, RUN_OPTIONS, runMembers } from '../runner/run-options.ts';

/** What a run would do. */
export const plan = runnerCommand({
  name: 'plan',
  summary: 'ask the runner what up or down would do',
  usage: '[<migration>] [--down]',
  help: `Tells what \`forerun up\` would apply, in which groups, or why it is refused; with --down,
what \`forerun down\` would revert. Changes nothing.

  <migration>    up to and including this one; with --down, everything after it (or base)
  --down         the way down
${RUN_HELP}${PHASE_HELP}`,
  options: { ...RUN_OPTIONS, ...PHASE_OPTION, down: { type: 'boolean', default: false } },
  alias: 'read',
  event: (given) =>
    eventOf(
      'plan',
      {
        direction: given.isSet('down') ? 'down' : undefined,
        to: given.word('migration', false),
        phase: given.text('phase'),
        ...runMembers(given),
      },
      given,
    ),
});
