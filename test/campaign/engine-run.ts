import type { RDSDataClient } from '@aws-sdk/client-rds-data';
import { dataApiDatabase } from '../../lambda/data-api/database.ts';
import type { RunLimits } from '../../lambda/engine/limits.ts';
import type { RunResult } from '../../lambda/engine/outcome.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { run } from '../../lambda/engine/run.ts';
import { chanceOf } from './chance.ts';
import { fastClock } from './fast-clock.ts';
import type { CampaignHistory } from './histories.ts';
import { clientFor, type ClientPlace } from './client.ts';

export const CLUSTER = 'arn:aws:rds:eu-west-1:111122223333:cluster:campaign';
export const SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:campaign-AbCdEf';

/** Short, so that waiting for what a dead runner left behind does not fill the campaign's time. */
const LIMITS: RunLimits = {
  leaseMs: 500,
  lockTimeoutMs: 2_000,
  idleTimeoutMs: 500,
  statementTimeoutMs: 20_000,
  inFlightMs: 1_500,
};

export interface EngineTask extends ClientPlace {
  readonly database: string;
  readonly runId: string;
  /** Where the run's jitter comes from. */
  readonly seed: string;
  /** What differs from the campaign's own limits. */
  readonly limits?: Partial<RunLimits>;
  /** How long the run may take. @default three minutes */
  readonly timeMs?: number;
  /** @default the campaign's user, who may do everything */
  readonly secretArn?: string;
}

const tell = (): void => undefined;

/** One run of the engine over the real client, with short limits and a fast clock. */
export async function runEngine(
  { migrations, repeatables = [], goal }: Pick<CampaignHistory, 'migrations' | 'repeatables' | 'goal'>,
  task: EngineTask,
  client: RDSDataClient = clientFor(task),
): Promise<RunResult> {
  const clock = fastClock();
  const deadlineMs = clock.now() + (task.timeMs ?? 180_000);
  const random = chanceOf(task.seed, task.runId);
  const secretArn = task.secretArn ?? SECRET;
  const target = { clusterArn: CLUSTER, secretArn, database: task.database, history: 'default' };
  const database = dataApiDatabase({ target, clock, random, tell, deadlineMs, client });
  const identity = {
    runId: task.runId,
    runKey: null,
    history: 'default',
    action: goal.direction,
    deployId: null,
    owner: null,
    digest: 'campaign',
  };
  const request = {
    identity,
    history: migrations,
    repeatables,
    goal,
    deadlineMs,
    limits: { ...LIMITS, ...task.limits },
    yieldToOwnRun: false,
  };
  try {
    const result = await run(request, { database, clock, random, tell }, postgres);
    if (result === 'overtaken') throw new UnexpectedEnd('overtaken without having asked to yield');
    return result;
  } finally {
    client.destroy();
  }
}

/** A run ended in a way that this request does not allow. */
class UnexpectedEnd extends Error {
  override readonly name = 'UnexpectedEnd';
}
