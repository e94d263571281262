import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { OnRollback } from '../lambda/contract.ts';
import type { Atomic } from '../lambda/engine/migration.ts';

/** Which deploys ask the database: each one, or only those that change the migrations. */
export type RunOn = 'every-deploy' | 'migrations-changed';

export interface MigrationsProps {
  /**
   * The Aurora PostgreSQL cluster to migrate, through its Data API.
   * The Data API is switched on where the cluster does not say. The deploy waits for the cluster and its writer; of an
   * imported cluster nothing is known to wait for.
   */
  readonly cluster: rds.IDatabaseCluster;

  /** Folder with the migration modules; a relative path counts from the folder where synth runs. */
  readonly directory: string;

  /**
   * Name of the database within the cluster.
   *
   * @default - the cluster's default database
   */
  readonly database?: string;

  /**
   * With which name and password to log in. Give the migrations a database role of their own that owns the schema.
   *
   * @default - the secret of the cluster's master user
   */
  readonly secret?: secretsmanager.ISecret;

  /**
   * Name of this history in the journal, so that several apps can share one database.
   *
   * @default 'default'
   */
  readonly history?: string;

  /**
   * Whether migrations that lie beside each other commit together, or each one alone.
   *
   * @default 'group'
   */
  readonly atomic?: Atomic;

  /**
   * Names the deploy. Equal input must give an equal id: never use a clock.
   *
   * @default - the context value `forerun:deployId`, else the commit of the build service or of git, else the digest
   */
  readonly deployId?: string;

  /**
   * Which deploys ask the database.
   *
   * @default 'every-deploy'
   */
  readonly runOn?: RunOn;

  /**
   * What happens to the database when CloudFormation rolls the stack back. `keep` leaves it ahead of the app.
   *
   * @default 'keep'
   */
  readonly onRollback?: OnRollback;

  /**
   * Memory of the runner, in MiB.
   *
   * @default 512
   */
  readonly memorySize?: number;

  /**
   * Processor of runner and gate.
   *
   * @default Architecture.ARM_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * Role of the runner; the grants it needs are added to it.
   *
   * @default - a role of its own
   */
  readonly role?: iam.IRole;

  /**
   * Log group of the runner.
   *
   * @default - a log group of its own that is kept for a year and outlives the stack
   */
  readonly logGroup?: logs.ILogGroup;
}
