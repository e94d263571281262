import { Stack, Token } from 'aws-cdk-lib';
import type { IDatabaseCluster } from 'aws-cdk-lib/aws-rds';
import type { IConstruct } from 'constructs';
import type { TargetDatabase } from './target-database.ts';
import { misused } from './misused.ts';

/** Which construct holds which history of which cluster, for each app. */
const histories = new WeakMap<IConstruct, Map<string, IConstruct>>();

/**
 * Refuses a second construct for the same history: the migrations of the first would look to the second as if somebody had
 * deleted their files, in the middle of a deploy.
 */
export function claimHistory(
  scope: IConstruct,
  cluster: IDatabaseCluster,
  { database }: Pick<TargetDatabase, 'database'>,
  history: string,
): void {
  const app = scope.node.root;
  const claimed = histories.get(app) ?? new Map<string, IConstruct>();
  histories.set(app, claimed);
  const key = JSON.stringify([...nameOf(cluster), database, history]);
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

/** An import may be one of several of the same cluster: these have its identifier in common, where synth knows it. */
function nameOf(cluster: IDatabaseCluster): readonly string[] {
  const { clusterIdentifier } = cluster;
  if (Token.isUnresolved(clusterIdentifier)) return ['construct', cluster.node.addr];
  const { account, region, node } = Stack.of(cluster);
  // Stacks that do not say where they go may go to different places.
  const isAnywhere = Token.isUnresolved(account) || Token.isUnresolved(region);
  const place = isAnywhere ? ['stack', node.addr] : ['place', account, region];
  // Identifiers of RDS know no upper case.
  return [...place, clusterIdentifier.toLowerCase()];
}
