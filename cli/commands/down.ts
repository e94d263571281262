import { BY_HELP, BY_OPTION, CONFIRM_HELP, CONFIRM_OPTION } from '../runner/spoken-options.ts';
import { eventOf, runnerCommand } from '../runner/runner-command.ts';
import { RUN_HELP, RUN_OPTIONS, runMembers } from '../runner/run-options.ts';

/** Reverts migrations. */
export const down = runnerCommand({
  name: 'down',
  summary: 'let the runner revert migrations',
  usage: '<migration> --confirm <database>',
  help: `Reverts everything after <migration>, newest first; \`base\` reverts everything.

${CONFIRM_HELP}
${RUN_HELP}${BY_HELP}`,
  options: { ...RUN_OPTIONS, ...CONFIRM_OPTION, ...BY_OPTION },
  alias: 'act',
  event: (given) =>
    eventOf(
      'down',
      {
        to: given.word('migration', true),
        confirm: given.text('confirm'),
        by: given.text('by'),
        ...runMembers(given),
      },
      given,
    ),
});
