import { eventOf, runnerCommand } from '../runner/runner-command.ts';

/** The last runs. */
export const history = runnerCommand({
  name: 'history',
  summary: 'ask the runner for the last runs',
  usage: '[--limit <count>]',
  help: `Lists the last runs, newest first: when, for which deploy, how they ended, what they
applied or reverted. Changes nothing.

  --limit    how many runs, 1 to 500 (default: 20)`,
  options: { limit: { type: 'string' } },
  alias: 'read',
  event: (given) => eventOf('history', { limit: given.count('limit') }, given),
});
