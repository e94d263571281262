import { eventOf, runnerCommand } from '../runner/runner-command.ts';
import {
  BY_HELP,
  BY_OPTION,
  CONFIRM_HELP,
  CONFIRM_OPTION,
  REASON_HELP,
  REASON_OPTION,
} from '../runner/spoken-options.ts';

/** Takes the lease away from whoever holds it. */
export const unlock = runnerCommand({
  name: 'unlock',
  summary: 'let the runner take the lease away from a run',
  usage: '--reason <text> --confirm <database>',
  help: `Takes the lease away from whoever holds it; a holder that still lives can then not commit
any more. Hardly ever needed: a run that died holds it for a minute at most.

${REASON_HELP}
${BY_HELP}
${CONFIRM_HELP}`,
  options: { ...REASON_OPTION, ...BY_OPTION, ...CONFIRM_OPTION },
  alias: 'act',
  event: (given) =>
    eventOf(
      'unlock',
      { reason: given.text('reason'), by: given.text('by'), confirm: given.text('confirm') },
      given,
    ),
});
