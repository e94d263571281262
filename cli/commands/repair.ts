import { eventOf, runnerCommand } from '../runner/runner-command.ts';
import { BY_HELP, BY_OPTION, REASON_HELP, REASON_OPTION } from '../runner/spoken-options.ts';

/** Puts the journal right where rows are gone or checksums have changed. */
export const repair = runnerCommand({
  name: 'repair',
  summary: 'let the runner put the journal right',
  usage: '--reason <text>',
  help: `Brings deleted rows of the journal back and takes over the checksums of the runner's release.
Runs no migration.

${REASON_HELP}
${BY_HELP}`,
  options: { ...REASON_OPTION, ...BY_OPTION },
  alias: 'act',
  event: (given) => eventOf('repair', { reason: given.text('reason'), by: given.text('by') }, given),
});
