import type { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type * as events from 'aws-cdk-lib/aws-events';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type * as kms from 'aws-cdk-lib/aws-kms';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as logs from 'aws-cdk-lib/aws-logs';
import type * as rds from 'aws-cdk-lib/aws-rds';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type { OnAfterFailure, OnDelete, OnRollback } from '../lambda/contract.ts';
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
   * The commit that this deploy is made from, for the journal and the action `history`. Where only changed migrations ask the
   * database (`runOn`), it is left out: it would make every deploy a change.
   *
   * @default - the commit of the build service or of git; nothing where a deploy id is given, whose template must not change with
   * every commit
   */
  readonly commit?: string;

  /**
   * Which deploys ask the database.
   *
   * @default 'every-deploy'
   */
  readonly runOn?: RunOn;

  /**
   * What happens to the database when CloudFormation rolls the stack back. `keep` leaves it ahead of the app. `revert` takes
   * back what the failed deploy applied, all or nothing, once the old app is live again; data that `down` drops is lost. `fail`
   * stops the rollback (`UPDATE_ROLLBACK_FAILED`) unless the old release is known to work with the database.
   *
   * @default 'keep'
   */
  readonly onRollback?: OnRollback;

  /**
   * What becomes of the deploy when migrations of phase `after` fail; the app is live then. `keep-going` lets it succeed, tells by
   * the metric `AfterFailed`, and the next deploy that asks the database tries again. `fail` fails it, and CloudFormation takes the
   * live app back.
   *
   * @default 'keep-going'
   */
  readonly onAfterFailure?: OnAfterFailure;

  /**
   * What happens to the database when the stack is deleted. `revert` takes back everything of this history, all or nothing, if this
   * stack was the last to migrate it: for short-lived stacks on a lasting database. All data of the tables goes with it.
   *
   * @default 'keep'
   */
  readonly onDelete?: OnDelete;

  /**
   * How long the migrations of one deploy may work: from one minute to an hour, counted from the moment in which CloudFormation
   * asks. More than eleven minutes adds the worker to the stack, which goes on where the runner's own call ends; a full hour leaves
   * 59 minutes for the work, because CloudFormation waits no longer. What needs more belongs into a backfill.
   *
   * @default Duration.minutes(11)
   */
  readonly timeout?: Duration;

  /**
   * Whether the stack gets a worker: a Lambda durable function with the same migrations that goes on with backfills, for days if need
   * be, and with what a longer `timeout` allows. Say `false` where a region has no durable functions: backfills then go on with every
   * deploy and every `{"action":"backfill"}` only.
   *
   * @default - where a migration is a backfill, or `timeout` is more than eleven minutes
   */
  readonly worker?: boolean;

  /**
   * Name of this environment, for migrations that are limited to some. At most 64 characters.
   *
   * @default - none; a migration that is limited to some environments is then refused
   */
  readonly environment?: string;

  /**
   * Names of all environments that there are. An `environment` that is not among them is refused at synth, and so is a migration
   * that is limited to another name: misspelt, it would never run, and nobody would be told.
   *
   * @default - any name is taken
   */
  readonly environments?: readonly string[];

  /**
   * What migrations read as `params`: plain JSON, held against each migration's own schema. It stands readably in the template,
   * so a secret has no place here; see `secrets`. A text may be one that only the deploy knows (a token); such a number or list
   * is refused: give it as a text.
   *
   * @default - none
   */
  readonly params?: Readonly<Record<string, unknown>>;

  /**
   * Secrets that migrations name with `secret(…)`, for example the password of a role they create. The runner may read them.
   *
   * @default - none
   */
  readonly secrets?: readonly secretsmanager.ISecret[];

  /**
   * Hears of every run and every rollback, also of those by hand: events with the source `forerun`. The runner may put events on
   * this bus and on no other; the policy of a bus in another account has to allow it as well.
   *
   * @default - no events
   */
  readonly eventBus?: events.IEventBus;

  /**
   * Memory of the runner and of the worker, in MiB.
   *
   * @default 512
   */
  readonly memorySize?: number;

  /**
   * Processor of all functions.
   *
   * @default Architecture.ARM_64
   */
  readonly architecture?: lambda.Architecture;

  /**
   * Role of the runner and of the worker; the grants they need are added to it.
   *
   * @default - a role of its own for each
   */
  readonly role?: iam.IRole;

  /**
   * Role of the gate; the grants it needs are added to it.
   *
   * @default - a role of its own
   */
  readonly gateRole?: iam.IRole;

  /**
   * Log group of the runner.
   *
   * @default - a log group of its own that outlives the stack
   */
  readonly logGroup?: logs.ILogGroup;

  /**
   * How long the log groups made here keep their lines.
   *
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: logs.RetentionDays;

  /**
   * Key for the log groups made here and for the runner's environment variables. CloudWatch Logs is allowed to use it; the policy
   * of an imported key has to allow that by itself.
   *
   * @default - the keys that AWS owns
   */
  readonly encryptionKey?: kms.IKey;

  /**
   * What becomes of the runner's published version when the next deploy brings a newer one. The version of a deploy that was
   * rolled back always goes with it.
   *
   * @default RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE: it stays, and with it the way down
   */
  readonly versionRemovalPolicy?: RemovalPolicy.DESTROY | RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
}
