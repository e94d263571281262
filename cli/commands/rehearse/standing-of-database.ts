import * as v from 'valibot';
import { RESOURCE_TYPE } from '../../../lambda/contract.ts';
import type { BackfillData } from '../../../lambda/engine/backfill/operate.ts';
import type { Resource } from '../../../local/cloudformation/stack.ts';
import type { Rehearsal } from '../../../local/rehearsal.ts';

/** Where a database stands after a deploy, seen from the release that is in use then. */
export interface DatabaseStanding {
  /** The construct. */
  readonly construct: string;
  readonly head: string;
  readonly applied: readonly string[];
  readonly pending: readonly string[];
  /** What the database has and the release does not. */
  readonly ahead: readonly string[];
  /** Backfills that are neither done nor given up. */
  readonly undone: readonly UndoneBackfill[];
  /** Whether the release has a worker, which goes on with them. */
  readonly worker: boolean;
}

export interface UndoneBackfill extends Pick<BackfillData, 'id' | 'reason' | 'share'> {
  readonly state: 'enqueued' | 'running' | 'paused' | 'failed';
}

const answerSchema = v.object({
  status: v.object({
    head: v.string(),
    applied: v.array(v.object({ id: v.string() })),
    pending: v.array(v.string()),
    foreign: v.array(v.string()),
  }),
});

const backfillsSchema = v.object({
  backfills: v.array(
    v.object({
      id: v.string(),
      state: v.string(),
      reason: v.nullable(v.string()),
      share: v.nullable(v.number()),
    }),
  ),
});

const isUndone = (
  one: Pick<UndoneBackfill, 'id' | 'reason' | 'share'> & { readonly state: string },
): one is UndoneBackfill => ['enqueued', 'running', 'paused', 'failed'].includes(one.state);

/** Asks every runner that a stack, or one nested in it, holds; a stack that is gone has none. */
export async function standingsOfDatabases(
  rehearsal: Rehearsal,
  stackName: string,
): Promise<readonly DatabaseStanding[]> {
  const standings: DatabaseStanding[] = [];
  for (const { type, path, logicalId, properties } of resourcesOf(rehearsal, stackName)) {
    if (type !== RESOURCE_TYPE) continue;
    const ask = async (action: 'status' | 'backfills'): Promise<unknown> => {
      const { payload, functionError } = await rehearsal.lambda.invoke(String(properties['RunnerArn']), {
        action,
      });
      return functionError === undefined ? JSON.parse(payload) : null;
    };
    const answer = v.safeParse(answerSchema, await ask('status'));
    // A runner that cannot tell has said why in its log, and the deploy has failed of it.
    if (!answer.success) continue;
    const listed = v.safeParse(backfillsSchema, await ask('backfills'));
    const { head, applied, pending, foreign } = answer.output.status;
    standings.push({
      construct: (path ?? logicalId).replace(/\/(?:Resource|Default)(?:\/Default)?$/, ''),
      head,
      applied: applied.map(({ id }) => id),
      pending,
      ahead: foreign,
      undone: listed.success ? listed.output.backfills.filter(isUndone) : [],
      worker: properties['WorkerArn'] !== undefined,
    });
  }
  return standings;
}

function resourcesOf(rehearsal: Rehearsal, stack: string): readonly Resource[] {
  return (rehearsal.cloudFormation.stack(stack)?.resources ?? []).flatMap((resource) =>
    resource.type === 'AWS::CloudFormation::Stack' ? resourcesOf(rehearsal, resource.physicalId) : [resource],
  );
}
