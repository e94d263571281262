import { eventOf, runnerCommand } from '../runner/runner-command.ts';

/** What is applied, what is pending, who works. */
export const status = runnerCommand({
  name: 'status',
  summary: 'ask the runner where the database stands',
  usage: '',
  help: `Tells what is applied, what is pending and who holds the lease. Changes nothing.
`,
  alias: 'read',
  event: (given) => eventOf('status', {}, given),
});
