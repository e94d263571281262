import type { RDSDataClient } from '@aws-sdk/client-rds-data';
import { mortalClient, clientFor } from './client.ts';
import { runEngine, type EngineTask } from './engine-run.ts';
import { HISTORIES, type CampaignHistory } from './histories.ts';

/** What the parent asks a waiting process to do; `death` is the call at which it kills itself. */
export interface ProcessTask extends EngineTask {
  readonly history: string;
  readonly death?: { readonly nth: number; readonly moment: 'before' | 'after' };
}

/** A runner in a process of its own: loads everything, says so, and works on the one task that it is sent. */
process.once('message', (message) => {
  const task = message as ProcessTask;
  const history = HISTORIES.find(({ name }) => name === task.history);
  if (history === undefined) throw new UnknownHistory(task.history);
  const { death } = task;
  const client = death === undefined ? clientFor(task) : mortalClient(task, death.nth, death.moment);
  void work(history, task, client);
});
process.send?.('ready');

async function work(history: CampaignHistory, task: EngineTask, client: RDSDataClient): Promise<void> {
  const result = await runEngine(history, task, client);
  process.send?.(result, () => process.disconnect());
}

/** The parent asked for a history that is not in the campaign. */
class UnknownHistory extends Error {
  override readonly name = 'UnknownHistory';
}
