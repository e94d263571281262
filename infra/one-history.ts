import type { IConstruct } from 'constructs';
import type { TargetDatabase } from './target-database.ts';
import { misused } from './misused.ts';

/** Which construct holds which history, for each cluster of an app. */
const histories = new WeakMap<IConstruct, Map<string, IConstruct>>();

/**
 * Refuses a second construct for the same history: the migrations of the first would look to the second as if somebody had
 * deleted their files, in the middle of a deploy.
 */
export function claimHistory(
  scope: IConstruct,
  cluster: IConstruct,
  { database }: Pick<TargetDatabase, 'database'>,
  history: string,
): void {
  const claimed = histories.get(cluster) ?? new Map<string, IConstruct>();
  histories.set(cluster, claimed);
  const key = JSON.stringify([database, history]);
  const first = claimed.get(key);
  if (first !== undefined) {
    throw misused(
      scope,
      `'${first.node.path}' already migrates the database '${database}' with the history '${history}'.`,
      `Give one of them a 'history' name of its own.`,
    );
  }
  claimed.set(key, scope);
}
