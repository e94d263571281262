import { CfnResource, Stack, Token } from 'aws-cdk-lib';
import * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { misused } from './misused.ts';

/** Which database to migrate, as the user names it. */
export interface DatabaseChoice {
  readonly cluster: rds.IDatabaseCluster;
  readonly database?: string;
  readonly secret?: secretsmanager.ISecret;
}

/** The same, complete and checked. */
export interface TargetDatabase {
  readonly clusterArn: string;
  readonly secret: secretsmanager.ISecret;
  /** The whole ARN where it is known; a secret imported by name has only a part of it. */
  readonly secretArn: string;
  readonly database: string;
  /** What must be there before the first call: cluster, writer and the secret's attachment, but no reader. */
  readonly neededFirst: readonly CfnResource[];
}

/** Completes the choice from the cluster, or says what is missing. Switches the Data API on where nobody decided. */
export function targetDatabase(scope: Construct, choice: DatabaseChoice): TargetDatabase {
  const { cluster } = choice;
  const resource =
    cluster.node.defaultChild instanceof rds.CfnDBCluster ? cluster.node.defaultChild : undefined;
  requireSamePlace(scope, cluster);
  requirePostgres(scope, cluster);
  requireDataApi(scope, cluster, resource);
  const secret = choice.secret ?? secretOf(cluster);
  if (secret === undefined) {
    throw misused(
      scope,
      `nothing says with which secret to log in to the cluster '${cluster.node.path}'.`,
      `Give it as 'secret', or import the cluster with its 'secret'.`,
    );
  }
  return {
    clusterArn: cluster.clusterArn,
    secret,
    secretArn: secret.secretFullArn ?? secret.secretArn,
    database: choice.database ?? databaseOf(scope, cluster, resource),
    neededFirst: [resource, writerOf(cluster), attachmentOf(secret)].filter((one) => one !== undefined),
  };
}

/** The Data API answers in the region of its cluster, and to roles of its account alone: a cluster has no policy of its own. */
function requireSamePlace(scope: Construct, cluster: rds.IDatabaseCluster): void {
  const stack = Stack.of(scope);
  for (const part of ['region', 'account'] as const) {
    if (!differs(cluster.env[part], stack[part])) continue;
    throw misused(
      scope,
      `the cluster '${cluster.node.path}' lies in the ${part} ${cluster.env[part]}, and this stack in ${stack[part]}.`,
      `Put 'Migrations' into a stack of the cluster's own account and region.`,
    );
  }
}

/** What only the deploy knows may be the same. */
const differs = (there: string, here: string): boolean =>
  !Token.isUnresolved(there) && !Token.isUnresolved(here) && there !== here;

/** An imported cluster may not know its engine; then only the deploy can tell. */
function requirePostgres(scope: Construct, cluster: rds.IDatabaseCluster): void {
  const type = cluster.engine?.engineType;
  if (type === undefined || type === 'aurora-postgresql') return;
  throw misused(
    scope,
    `the cluster '${cluster.node.path}' is '${type}', and Forerun migrates Aurora PostgreSQL.`,
    `Give it a cluster of 'rds.DatabaseClusterEngine.auroraPostgres(…)'.`,
  );
}

function requireDataApi(
  scope: Construct,
  cluster: rds.IDatabaseCluster,
  resource: rds.CfnDBCluster | undefined,
): void {
  if (resource === undefined) {
    // The construct for an imported cluster keeps `dataApiEnabled` under this protected name and offers no other way.
    if (Reflect.get(cluster, 'enableDataApi') !== false) return;
    throw misused(
      scope,
      `the Data API is not known to be on for the imported cluster '${cluster.node.path}'.`,
      `Switch it on (aws rds enable-http-endpoint) and import the cluster with 'dataApiEnabled: true'.`,
    );
  }
  const enabled: unknown = Stack.of(resource).resolve(resource.enableHttpEndpoint);
  if (enabled === false) {
    throw misused(
      scope,
      `the Data API of the cluster '${cluster.node.path}' is off.`,
      `Set 'enableDataApi: true' on the cluster.`,
    );
  }
  // Nobody decided: switch it on, as `grantDataApiAccess` of the cluster does.
  if (enabled === undefined) resource.enableHttpEndpoint = true;
}

/** Every cluster of CDK has a secret or none, but the interface does not know of it. */
function secretOf(cluster: rds.IDatabaseCluster): secretsmanager.ISecret | undefined {
  return cluster instanceof rds.DatabaseClusterBase ? cluster.secret : undefined;
}

function databaseOf(
  scope: Construct,
  cluster: rds.IDatabaseCluster,
  resource: rds.CfnDBCluster | undefined,
): string {
  const name = resource?.databaseName;
  if (name !== undefined) return name;
  throw misused(
    scope,
    `nothing says which database of the cluster '${cluster.node.path}' to migrate.`,
    `Give its name as 'database'${resource === undefined ? '' : `, or set 'defaultDatabaseName' on the cluster`}.`,
  );
}

/**
 * The writer is the first instance that the cluster's construct makes; waiting for the whole construct would wait
 * for every reader, too. Undefined for an imported cluster, whose instances are there already.
 */
function writerOf(cluster: rds.IDatabaseCluster): CfnResource | undefined {
  return cluster.node.findAll().find((child) => child instanceof rds.CfnDBInstance);
}

/** A secret made for a cluster has its host and port only once it was attached. */
function attachmentOf(secret: secretsmanager.ISecret): CfnResource | undefined {
  return secret.node
    .findAll()
    .filter((child) => CfnResource.isCfnResource(child))
    .find(({ cfnResourceType }) => cfnResourceType === 'AWS::SecretsManager::SecretTargetAttachment');
}
