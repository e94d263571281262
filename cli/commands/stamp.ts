import { eventOf, runnerCommand } from '../runner/runner-command.ts';
import {
  BY_HELP,
  BY_OPTION,
  CONFIRM_HELP,
  CONFIRM_OPTION,
  REASON_HELP,
  REASON_OPTION,
} from '../runner/spoken-options.ts';

/** Makes the journal say up to where the database stands. */
export const stamp = runnerCommand({
  name: 'stamp',
  summary: 'let the journal say up to where the database stands',
  usage: '<migration> --reason <text> --confirm <database>',
  help: `Makes the journal say that exactly the migrations up to <migration> are applied: for a
database that existed before Forerun, or after repairs by hand. Runs no migration.

${REASON_HELP}
${BY_HELP}
${CONFIRM_HELP}`,
  options: { ...REASON_OPTION, ...BY_OPTION, ...CONFIRM_OPTION },
  alias: 'act',
  event: (given) =>
    eventOf(
      'stamp',
      {
        to: given.word('migration', true),
        reason: given.text('reason'),
        by: given.text('by'),
        confirm: given.text('confirm'),
      },
      given,
    ),
});
