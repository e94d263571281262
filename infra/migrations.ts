import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Annotations, AspectPriority, Aspects, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct, IConstruct } from 'constructs';
import {
  CONTRACT_VERSION,
  DEFAULT_HISTORY,
  type Attributes,
  type MigrationsProperties,
  RESOURCE_TYPE,
  RUNNER_ALIASES,
  SECONDS,
  serviceTimeoutFor,
} from '../lambda/contract.ts';
import { afterResource, waitForLive } from './after-resource.ts';
import type { Bundle } from './bundle.ts';
import { bundleOnce } from './bundle-once.ts';
import { cfnOf } from './cfn-of.ts';
import { commitOf } from './commit.ts';
import { DEPLOY_ID_CONTEXT, deployIdOf, givenDeployId } from './deploy-id.ts';
import { deployIdIn } from './deploy-id-parameter.ts';
import { gateFunction, handingOn } from './gate-function.ts';
import { checkOrder } from './check-order.ts';
import { allThatMayWait } from './gate-all.ts';
import { heldOf, hold, refuseOwnNeeds } from './hold.ts';
import { Measured } from './measured.ts';
import type { MigrationsProps } from './migrations-props.ts';
import { misused } from './misused.ts';
import { claimHistory } from './one-history.ts';
import { requireCommit, requireDeployId, requireHistoryName } from './names.ts';
import { runnerFunction } from './runner-function.ts';
import { paramsProperties, surroundingsOf, type Surroundings } from './surroundings.ts';
import { targetDatabase } from './target-database.ts';
import { undoResource } from './undo-resource.ts';
import { timeoutSeconds } from './timeout.ts';
import { workerFunction } from './worker-function.ts';

/**
 * Applies the migrations of a folder to a database during the deploy, before what `runBefore` names goes live.
 * A migration that fails fails the deploy, and CloudFormation rolls it back.
 */
export class Migrations extends Measured {
  /** Id of the last migration. */
  readonly head: string;
  /** Fingerprint of the whole history. */
  readonly digest: string;
  /** The function with the migrations. */
  readonly runner: lambda.Function;
  /** Its published version with exactly these migrations. */
  readonly runnerVersion: lambda.Version;
  /** That version for people who want to know: takes `status`, `plan` and `history`, and nothing that changes something. */
  readonly read: lambda.Alias;
  /** That version for people who act: takes everything. */
  readonly act: lambda.Alias;
  /** The durable function that goes on where the runner ends; undefined where nothing needs one. */
  readonly worker: lambda.Function | undefined;
  /** The function that CloudFormation calls. */
  readonly gate: lambda.Function;
  /** The custom resource that holds the deploy. */
  readonly resource: CustomResource;
  /** The custom resource that waits for what `runBefore` holds; only where a migration has the phase `after`. */
  readonly afterResource: CustomResource | undefined;
  private readonly needs: readonly IConstruct[];
  private readonly held: IConstruct[] = [];

  constructor(scope: Construct, id: string, props: MigrationsProps) {
    super(scope, id);
    const directory = requireDirectory(this, props.directory);
    const target = targetDatabase(this, props);
    const history = requireHistoryName(this, props.history ?? DEFAULT_HISTORY);
    claimHistory(this, props.cluster, target, history);
    const surroundings = surroundingsOf(this, props);
    const seconds =
      props.timeout === undefined ? undefined : timeoutSeconds(this, props.timeout, props.worker);
    const isLong = seconds !== undefined && seconds > SECONDS.runner;
    const options = {
      architecture: props.architecture ?? lambda.Architecture.ARM_64,
      logRetention: props.logRetention ?? logs.RetentionDays.ONE_YEAR,
      encryptionKey: props.encryptionKey,
    };

    const wanted = isLong ? true : props.worker;
    const { bundle, runner, worker, gate } = withBundle(
      this,
      directory,
      { ...surroundings, environments: props.environments, worker: wanted },
      (bundle) => {
        const migrating = {
          ...options,
          target,
          history,
          surroundings,
          secrets: props.secrets ?? [],
          eventBus: props.eventBus,
          memorySize: props.memorySize ?? 512,
          role: props.role,
          versionRemovalPolicy: props.versionRemovalPolicy,
        };
        const worker =
          bundle.worker === null
            ? undefined
            : workerFunction(this, { ...migrating, code: bundle.worker, logGroup: undefined });
        const runner = runnerFunction(
          this,
          { ...migrating, code: bundle.runner, logGroup: props.logGroup },
          worker?.fn,
        );
        const gate = gateFunction(this, {
          ...options,
          code: bundle.gate,
          runner,
          worker: worker?.fn,
          role: props.gateRole,
        });
        return { bundle, runner, worker, gate };
      },
    );
    this.head = bundle.head;
    this.digest = bundle.digest;
    this.runner = runner;
    this.runnerVersion = runner.currentVersion;
    this.read = this.alias('Read', RUNNER_ALIASES.read);
    this.act = this.alias('Act', RUNNER_ALIASES.act);
    this.worker = worker?.fn;
    this.gate = gate;

    const commit = this.commit(props, directory);
    const properties: MigrationsProperties = {
      ContractVersion: CONTRACT_VERSION,
      RunnerArn: this.runnerVersion.functionArn,
      Head: this.head,
      Digest: this.digest,
      DeployId:
        props.runOn === 'migrations-changed'
          ? this.digest
          : deployIdIn(this, this.deployId(props.deployId, directory)),
      ...(commit === '' ? {} : { Commit: deployIdIn(this, requireCommit(this, commit)) }),
      ClusterArn: target.clusterArn,
      SecretArn: target.secretArn,
      Database: target.database,
      History: history,
      Atomic: props.atomic ?? 'group',
      OnRollback: props.onRollback ?? 'keep',
      ...(props.onDelete === undefined ? {} : { OnDelete: props.onDelete }),
      ...(seconds === undefined ? {} : { Timeout: String(seconds) }),
      ...(worker === undefined ? {} : { WorkerArn: worker.fn.currentVersion.functionArn }),
      ...(surroundings.environment === undefined ? {} : { Environment: surroundings.environment }),
      ...(surroundings.params === undefined ? {} : paramsProperties(surroundings.params)),
    };
    this.resource = new CustomResource(this, 'Resource', {
      resourceType: RESOURCE_TYPE,
      serviceToken: gate.functionArn,
      serviceTimeout: Duration.seconds(serviceTimeoutFor(seconds)),
      properties,
    });
    // The first event must already meet the limits on age and retries; the grants hang on the functions themselves.
    const neededFirst = [
      gate,
      ...target.neededFirst,
      ...(worker === undefined ? [] : [worker.ownGrants]),
      ...(isLong ? [handingOn(this, gate)] : []),
    ];
    this.resource.node.addDependency(...neededFirst);
    this.afterResource = bundle.migrations.some(({ phase }) => phase === 'after')
      ? afterResource(this, {
          properties,
          serviceToken: gate.functionArn,
          onAfterFailure: props.onAfterFailure,
          before: this.resource,
        })
      : undefined;
    if (props.onRollback === 'revert') {
      undoResource(this, {
        properties,
        serviceToken: gate.functionArn,
        holds: [this.resource, this.afterResource].filter((one) => one !== undefined),
        neededFirst,
      });
    }
    this.needs = [
      this.resource,
      this.afterResource,
      runner,
      gate,
      props.cluster,
      target.secret,
      runner.logGroup,
      runner.role,
      worker?.fn,
    ].filter((one) => one !== undefined);
    this.node.addValidation({
      validate: () =>
        checkOrder(this, {
          gatekeeper: cfnOf(this.resource),
          after: this.afterResource === undefined ? undefined : cfnOf(this.afterResource),
          held: this.held.flatMap((target) => heldOf(target)),
        }),
    });
  }

  /**
   * Lets these constructs go live only after the migrations were applied. Of a Lambda alias, version or function, an ECS or App
   * Runner service and a state machine only the resource itself waits; of any other construct everything in it.
   * Hold the alias rather than the function: then code is published while the migrations run. Migrations of phase `after` wait for
   * all that is held here to be live.
   *
   * @throws ForerunError `construct-misused` for what is imported and for what the migrations need. A circle that closes later
   * stops the synth, and the message names its way.
   */
  runBefore(...targets: readonly IConstruct[]): void {
    if (targets.length === 0) {
      throw misused(
        this,
        `'runBefore' names nothing that shall wait.`,
        `Give it the alias or service that makes your app live.`,
      );
    }
    for (const target of targets) {
      refuseOwnNeeds(this, target, this.needs);
      hold(target, this.resource, this);
      this.goesLiveBetween(target);
    }
  }

  /**
   * Lets everything in a scope that makes code live wait for the migrations: aliases, functions without one, services and state
   * machines, also those that are added later. What the migrations need themselves is left out.
   *
   * @param scope - by default the whole stack, with what it nests
   */
  gateAll(scope: IConstruct = Stack.of(this)): void {
    let done = false;
    const visit = (): void => {
      if (done) return;
      done = true;
      const migrations = this.node.root.node.findAll().filter((one) => one instanceof Migrations);
      for (const one of allThatMayWait(scope, cfnOf(this.resource), migrations)) {
        one.node.addDependency(this.resource);
        this.goesLiveBetween(one);
      }
    };
    // As late as a change may come, so that it sees what other aspects add.
    Aspects.of(scope).add({ visit }, { priority: AspectPriority.READONLY - 1 });
  }

  /** Lets someone invoke the runner through `read`: they see what is applied and what a deploy would do. */
  grantRead(grantee: iam.IGrantable): iam.Grant {
    return this.read.grantInvoke(grantee);
  }

  /** Lets someone invoke the runner through `act`: they change the schema, up and down. */
  grantAct(grantee: iam.IGrantable): iam.Grant {
    return this.act.grantInvoke(grantee);
  }

  /** What the deploy found or did, known only to the deploy: for outputs and for other resources. */
  attribute(name: keyof Attributes): string {
    return this.resource.getAttString(name);
  }

  /** Between the two phases. */
  private goesLiveBetween(target: IConstruct): void {
    if (this.afterResource !== undefined) waitForLive(this.afterResource, target);
    this.held.push(target);
  }

  private alias(id: string, aliasName: string): lambda.Alias {
    // CDK's own types do not hold under TypeScript's `exactOptionalPropertyTypes`.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return new lambda.Alias(this, id, { aliasName, version: this.runnerVersion as lambda.IVersion });
  }

  /** Only where the template changes with every commit anyway, or somebody asks for it. */
  private commit({ runOn, commit, deployId }: MigrationsProps, directory: string): string {
    if (runOn === 'migrations-changed') return '';
    if (commit !== undefined) return commit;
    return givenDeployId(this, deployId) === undefined
      ? commitOf({ directory, environment: process.env })
      : '';
  }

  private deployId(given: string | undefined, directory: string): string {
    const { digest } = this;
    const id = deployIdOf(this, { given, directory, digest, environment: process.env });
    if (id === digest) {
      Annotations.of(this).addWarningV2(
        'forerun:no-deploy-id',
        `Nothing names this deploy, so only a change of the migrations asks the database. Give 'deployId' or the context value '${DEPLOY_ID_CONTEXT}', or say runOn: 'migrations-changed'.`,
      );
    }
    return requireDeployId(this, id);
  }
}

function requireDirectory(scope: Construct, directory: string): string {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true) return resolve(directory);
  throw misused(
    scope,
    `there is no folder '${directory}'.`,
    `Let 'directory' name the folder with your migrations; a relative path counts from where synth runs.`,
  );
}

/** Hands the bundle to `use`, which stages it into the cloud assembly, and leaves nothing else behind. */
function withBundle<T>(
  scope: Construct,
  directory: string,
  {
    environment,
    environments,
    params: { json: params, texts } = { json: '{}', texts: [] },
    worker,
  }: Surroundings & {
    readonly environments: readonly string[] | undefined;
    readonly worker: boolean | undefined;
  },
  use: (bundle: Bundle) => T,
): T {
  const outdir = mkdtempSync(join(tmpdir(), 'forerun-'));
  try {
    // What only the deploy knows, the runner looks at before anything runs.
    const given = texts.length > 0 ? undefined : { environment, params };
    return use(
      bundleOnce({
        directory,
        outdir,
        ...(given === undefined ? {} : { given }),
        ...(worker === undefined ? {} : { worker }),
        ...(environments === undefined ? {} : { environments }),
      }),
    );
  } finally {
    // With `--no-staging` the assembly points at the folder itself, so there it has to stay.
    if (scope.node.tryGetContext('aws:cdk:disable-asset-staging') !== true) {
      rmSync(outdir, { recursive: true, force: true });
    }
  }
}
