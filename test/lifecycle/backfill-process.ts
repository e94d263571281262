import { realClock } from '../../lambda/clock.ts';
import type { Target } from '../../lambda/contract.ts';
import { dataApiDatabase } from '../../lambda/data-api/database.ts';
import { work } from '../../lambda/engine/backfill/operate.ts';
import type { RunLimits } from '../../lambda/engine/limits.ts';
import type { RunNote } from '../../lambda/engine/ports.ts';
import { clientFor, type ClientPlace } from '../campaign/client.ts';
import { KILLED, KILLED_HISTORIES } from './killed-history.ts';

/** What the parent asks a worker's process to do. */
export interface WorkerTask extends ClientPlace {
  readonly form: keyof typeof KILLED_HISTORIES;
  readonly target: Target;
  readonly worker: string;
  readonly limits: RunLimits;
}

/** A worker in a process of its own, with one lane; says each batch, and `done` at its end. */
process.once('message', (message) => void workAsTold(message as WorkerTask));
process.send?.('ready');

function tell(note: RunNote): void {
  if (note.note === 'batch') process.send?.({ range: note.range });
}

async function workAsTold(task: WorkerTask): Promise<void> {
  const { form, target, worker, limits } = task;
  const untilMs = Date.now() + 60_000;
  const random = Math.random;
  const client = clientFor(task);
  const database = dataApiDatabase({ target, clock: realClock, random, tell, deadlineMs: untilMs, client });
  const operator = { history: 'default', migrations: KILLED_HISTORIES[form], worker, limits, lanes: 1 };
  await work([KILLED], operator, untilMs, { database, clock: realClock, random, tell });
  process.send?.('done', () => process.disconnect());
}
