import { LocalError } from './errors.ts';
import {
  startCloudFormation,
  type DeployResult,
  type LocalCloudFormation,
} from './cloudformation/start-cloudformation.ts';
import type { ClusterMade, Hooks, SecretMade } from './cloudformation/hooks.ts';
import type { FaultOf } from './cloudformation/engine.ts';
import type { StackEvent } from './cloudformation/status.ts';
import type { CallEntry } from './data-api/call-log.ts';
import { startDataApi, type LocalDataApi } from './data-api/start-data-api.ts';
import { startEventBus, type LocalEvent } from './events/start-event-bus.ts';
import { startLambda, type LambdaOptions, type LocalLambda, type LogLine } from './lambda/start-lambda.ts';
import { startPostgres, type LocalPostgres } from './postgres/postgres.ts';
import { secretStore, type SecretStore } from './secrets-manager/secret-store.ts';
import { startSecretsManager, type LocalSecretsManager } from './secrets-manager/start-secrets-manager.ts';

export interface RehearsalOptions {
  /** Uses this PostgreSQL instead of an embedded one; databases of the rehearsal's own are made in it and dropped. */
  readonly databaseUrl?: string;
  /** Each event of a stack, as it happens. */
  readonly onEvent?: (event: StackEvent) => void;
  /** Called before each attempt to run a function; may lose or refuse it. */
  readonly onInvoke?: LambdaOptions['onInvoke'];
  /** Each line that a function writes. */
  readonly onLog?: (line: LogLine) => void;
  /** More types of custom resources that count as done without asking their function. */
  readonly assumed?: readonly string[];
  /** Makes resources fail on the way forward, in whatever stack. */
  readonly faultOf?: FaultOf;
  /** Told in words what of a template is not played; something plausible stands in. Default: it fails the deploy. */
  readonly passOver?: (what: string) => void;
  /** Each time a role is refused what its policies do not allow at that moment. */
  readonly onDenied?: (denied: Denied) => void;
  /** Default `111122223333`. */
  readonly account?: string;
  /** Default `eu-west-1`. */
  readonly region?: string;
  /** Each call of the Data API. */
  readonly onCall?: (call: CallEntry) => void;
}

/** What a role was refused. */
export interface Denied {
  readonly roleArn: string;
  /** As IAM names it, such as `rds-data:CommitTransaction`. */
  readonly action: string;
  readonly resource: string;
}

/** A database that stood before the stacks that use it. */
export interface ImportedDatabase {
  readonly clusterArn: string;
  /** Whole, or without its last six characters as for a secret imported by name. */
  readonly secretArn: string;
  readonly database: string;
}

/** A piece of AWS on this machine: stacks can be deployed to it and functions invoked. */
export interface Rehearsal {
  readonly cloudFormation: LocalCloudFormation;
  readonly lambda: LocalLambda;
  readonly dataApi: LocalDataApi;
  readonly secrets: SecretStore;
  /** What was put on event buses, oldest first. */
  readonly events: readonly LocalEvent[];
  /** Environment for an SDK client of somebody on this machine who may do everything. */
  readonly environment: Readonly<Record<string, string>>;
  /** Deploys one stack of a cloud assembly, after the stacks that it needs. */
  deploy(assembly: string, stackName: string, fail?: Readonly<Record<string, string>>): Promise<DeployResult>;
  /**
   * Makes what a stack only refers to: an empty database behind a cluster, and a secret that can log in to it. What is there
   * already is left as it is.
   *
   * @returns whether anything was made
   */
  provideDatabase(of: ImportedDatabase): Promise<boolean>;
  /** Stops everything and leaves nothing behind. */
  close(): Promise<void>;
}

/**
 * Starts the services that a deploy needs, wired as on AWS: a cluster in a template becomes a database in a real PostgreSQL,
 * its secrets can log in to it, and every function is held to the policies of its role as they are at that moment.
 */
export async function startRehearsal(options: RehearsalOptions = {}): Promise<Rehearsal> {
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).toReversed()) await one();
  };
  try {
    const postgres = await startPostgres(
      options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl },
    );
    closers.push(() => postgres.stop());
    const secrets = secretStore();
    const allowed: Allowed = { ask: () => true };
    const dataApi = await startDataApi({
      postgres,
      clusters: [],
      secrets,
      authorize: (request) => allowed.ask(request),
      ...(options.onCall === undefined ? {} : { onCall: options.onCall }),
    });
    closers.push(() => dataApi.stop());
    const secretsManager: LocalSecretsManager = await startSecretsManager({
      secrets,
      authorize: (request) => allowed.ask(request),
    });
    closers.push(() => secretsManager.stop());
    const lambda = await startLambda({
      authorize: (request) => allowed.ask(request),
      ...(options.onLog === undefined ? {} : { onLog: options.onLog }),
      ...(options.onInvoke === undefined ? {} : { onInvoke: options.onInvoke }),
      ...(options.account === undefined ? {} : { account: options.account }),
      ...(options.region === undefined ? {} : { region: options.region }),
    });
    closers.push(() => lambda.close());
    const eventBus = await startEventBus({
      account: lambda.account,
      region: lambda.region,
      authorize: (request) => allowed.ask(request),
    });
    closers.push(() => eventBus.stop());
    const endpoints = {
      AWS_ENDPOINT_URL_RDS_DATA: dataApi.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
      AWS_ENDPOINT_URL_LAMBDA: lambda.url,
      AWS_ENDPOINT_URL_EVENTBRIDGE: eventBus.url,
    };
    lambda.provideEnvironment(endpoints);
    const databases = databaseHooks(postgres, dataApi, secrets);
    // An embedded server goes with everything in it.
    if (options.databaseUrl !== undefined) closers.push(() => databases.drop());
    const cloudFormation = await startCloudFormation({
      lambda,
      hooks: databases.hooks,
      authorize: (request) => allowed.ask(request),
      ...(options.onEvent === undefined ? {} : { onEvent: options.onEvent }),
      ...(options.assumed === undefined ? {} : { assumed: options.assumed }),
      ...(options.faultOf === undefined ? {} : { faultOf: options.faultOf }),
      ...(options.passOver === undefined ? {} : { passOver: options.passOver }),
    });
    closers.push(() => cloudFormation.close());
    allowed.ask = ({ accessKeyId, action, resource }) => {
      if (cloudFormation.allows(accessKeyId, action, resource)) return true;
      const roleArn = lambda.roleOf(accessKeyId) ?? accessKeyId;
      options.onDenied?.({ roleArn, action, resource });
      return false;
    };
    return {
      cloudFormation,
      lambda,
      dataApi,
      secrets,
      events: eventBus.events,
      environment: {
        ...endpoints,
        AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.url,
        AWS_REGION: lambda.region,
        AWS_ACCESS_KEY_ID: 'REHEARSAL',
        AWS_SECRET_ACCESS_KEY: 'rehearsal',
      },
      provideDatabase: databases.provideImported,
      deploy: (assembly, stackName, fail = {}) => cloudFormation.deploy(assembly, stackName, { fail }),
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

interface Allowed {
  /** Set once CloudFormation is there, because the policies are its resources. */
  ask: (request: {
    readonly accessKeyId: string;
    readonly action: string;
    readonly resource: string;
  }) => boolean;
}

/** Makes the real database behind a cluster, and secrets that can log in to it. */
function databaseHooks(postgres: LocalPostgres, dataApi: LocalDataApi, secrets: SecretStore) {
  const made = new Map<string, string[]>();
  const master = JSON.stringify({ username: postgres.user, password: postgres.password });
  let count = 0;

  const provide = async ({
    arn,
    identifier,
    databaseName,
    masterSecretArn,
    managesMasterSecret,
  }: ClusterMade) => {
    const names = databaseName === undefined ? ['postgres'] : [databaseName];
    const own: Record<string, string> = {};
    for (const name of names) {
      count += 1;
      const real = `forerun_rehearsal_${process.pid}_${count}`;
      await postgres.createDatabase(real);
      own[name] = real;
    }
    made.set(arn, Object.values(own));
    dataApi.addCluster({ arn, databases: own });
    if (managesMasterSecret && masterSecretArn !== undefined) {
      secrets.put({ arn: masterSecretArn, name: nameOf(masterSecretArn), value: master });
    }
    return { address: `${identifier}.cluster.local`, port: postgres.port };
  };

  /** ARN → name the callers use → name on the server, of clusters that no template makes. */
  const imported = new Map<string, Record<string, string>>();
  const provideImported = async ({ clusterArn, secretArn, database }: ImportedDatabase): Promise<boolean> => {
    const known = imported.get(clusterArn) ?? {};
    const isMissing = known[database] === undefined && (imported.has(clusterArn) || !made.has(clusterArn));
    if (isMissing) {
      count += 1;
      const real = `forerun_rehearsal_${process.pid}_${count}`;
      await postgres.createDatabase(real);
      const all = { ...known, [database]: real };
      imported.set(clusterArn, all);
      made.set(clusterArn, Object.values(all));
      dataApi.addCluster({ arn: clusterArn, databases: all });
    }
    const noSecret = secrets.find(secretArn) === undefined;
    if (noSecret) {
      // An ARN without its ending is found by name and checked in full, as on AWS.
      const arn = /-[A-Za-z0-9]{6}$/.test(secretArn) ? secretArn : `${secretArn}-LocalX`;
      secrets.put({ arn, name: secretArn, value: master });
    }
    return isMissing || noSecret;
  };

  const hooks: Hooks = {
    onCluster: provide,
    async onClusterDeleted({ arn }) {
      dataApi.removeCluster(arn);
      for (const name of made.get(arn) ?? []) await postgres.dropDatabase(name);
      made.delete(arn);
    },
    onSecret({ arn, name }: SecretMade) {
      // Whatever user name a template gives, the local server knows one user: the secret logs in as that one.
      secrets.put({ arn, name, value: master });
      return Promise.resolve();
    },
    onSecretDeleted({ arn }) {
      secrets.remove(arn);
      return Promise.resolve();
    },
  };
  return {
    hooks,
    provideImported,
    async drop(): Promise<void> {
      for (const name of [...made.values()].flat()) await postgres.dropDatabase(name);
      made.clear();
    },
  };
}

/** The name inside a secret's ARN, without the six random characters at its end. */
function nameOf(secretArn: string): string {
  const name = secretArn.split(':').at(-1)?.slice(0, -7);
  if (name === undefined || name === '')
    throw new LocalError('bad-option', `${secretArn} is not the ARN of a secret.`);
  return name;
}
