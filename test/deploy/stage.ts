import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LambdaClient, ListDurableExecutionsByFunctionCommand } from '@aws-sdk/client-lambda';
import { ExecuteStatementCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import { invokeRunner } from '../../cli/demo/ask-by-hand.ts';
import type { DeployOptions, DeployResult } from '../../local/cloudformation/start-cloudformation.ts';
import { startPostgres, type LocalPostgres } from '../../local/postgres/postgres.ts';
import { startRehearsal, type Rehearsal, type RehearsalOptions } from '../../local/rehearsal.ts';
import type { Resource } from '../../local/cloudformation/stack.ts';
import { sameFolderOf } from '../infra/folder.ts';
import { APP_STACK, DATABASE_STACK, synthesise, type AppVariant } from './stage-app.ts';

export const STACK = APP_STACK;

/** What a person at the runner gets back. */
export interface HandAnswer {
  readonly ok: boolean;
  readonly action: string;
  readonly error?: {
    readonly code: string;
    readonly text: { readonly what: string; readonly state: string; readonly next: string };
  };
  readonly result?: {
    readonly outcome: string;
    readonly steps: readonly { readonly migration: string; readonly outcome: string }[];
    readonly error: { readonly code: string } | null;
  };
  readonly status?: {
    readonly installed: boolean;
    readonly applied: readonly { readonly id: string }[];
    readonly pending: readonly string[];
    readonly waiting: readonly string[];
    readonly foreign: readonly string[];
  };
  readonly plan?: {
    readonly groups: readonly (readonly string[])[];
    readonly refusals: readonly { readonly code: string }[];
  };
  readonly runs?: readonly {
    readonly action: string;
    readonly outcome: string | null;
    readonly phase: string | null;
    readonly applied: readonly string[];
  }[];
}

/** A database, migrations of the test's own and an app that waits for them, on a machine of its own. */
export interface Stage {
  readonly rehearsal: Rehearsal;
  /** Synthesises a release of the app with these migrations (file name → text) and deploys it. */
  deploy(
    release: string,
    migrations: Readonly<Record<string, string>>,
    fail?: Readonly<Record<string, string>>,
    variant?: AppVariant &
      Pick<DeployOptions, 'eventsFirst'> & {
        readonly newerForerun?: boolean;
        /** How long Lambda lets the runner work, instead of eleven minutes. */
        readonly runnerSeconds?: number;
        /** An action that the runner's role is not granted. */
        readonly lacks?: string;
      },
  ): Promise<DeployResult>;
  /** Attributes of the resource that holds the deploy, as `Fn::GetAtt` would read them. */
  attributes(): Readonly<Record<string, unknown>>;
  invoke(event: unknown): Promise<HandAnswer>;
  rows(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** What the gate wrote into its log. */
  gateLog(): string;
  /** What the runner wrote into its log. */
  runnerLog(): string;
  /** What the worker wrote into its log. */
  workerLog(): string;
  /** The worker's executions with the state of each. */
  executions(): Promise<readonly { readonly name: string; readonly status: string }[]>;
  close(): Promise<void>;
}

/** One PostgreSQL for all the stages of a test file. */
export function openTheatre(): Promise<LocalPostgres> {
  const url = process.env['DATABASE_URL'];
  return startPostgres(url === undefined ? {} : { databaseUrl: url });
}

export async function openStage(
  { user, password, host, port }: LocalPostgres,
  options: Omit<RehearsalOptions, 'databaseUrl'> = {},
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'forerun-stage-'));
  const databaseUrl = `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/postgres`;
  const rehearsal = await startRehearsal({ databaseUrl, ...options });
  const resources = (): readonly Resource[] =>
    [STACK, DATABASE_STACK].flatMap((name) => rehearsal.cloudFormation.stack(name)?.resources ?? []);
  const log = (part: string): string => {
    const found = resources().find(
      ({ type, logicalId }) =>
        type === 'AWS::Lambda::Function' && logicalId.startsWith('Migrations') && logicalId.includes(part),
    );
    return rehearsal.lambda
      .logs(String(found?.physicalId))
      .map(({ line }) => line)
      .join('\n');
  };
  return {
    rehearsal,
    async deploy(
      release,
      migrations,
      fail = {},
      { eventsFirst = false, newerForerun = false, runnerSeconds, lacks, ...variant } = {},
    ) {
      const directory = sameFolderOf(migrations);
      const outdir = join(folder, release, 'cdk.out');
      synthesise({ ...variant, outdir, directory, release });
      const template = join(outdir, `${STACK}.template.json`);
      if (newerForerun) rewrite(template, fromTheFuture);
      if (runnerSeconds !== undefined) rewrite(template, hurriedRunner(runnerSeconds));
      if (lacks !== undefined) rewrite(template, withoutGrant(lacks));
      return rehearsal.cloudFormation.deploy(outdir, STACK, { fail, eventsFirst });
    },
    attributes: () => resources().find(({ type }) => type === 'Custom::ForerunMigrations')?.attributes ?? {},
    invoke: async (event) => (await invokeRunner(rehearsal, STACK, event as object)) as HandAnswer,
    rows: (sql) => rowsOf(rehearsal, resources(), sql),
    gateLog: () => log('Gate'),
    runnerLog: () => log('Runner'),
    workerLog: () => log('Worker'),
    executions: () => executionsOf(rehearsal, resources()),
    async close() {
      await rehearsal.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Edit = (
  logicalId: string,
  resource: { readonly Type: string; Properties: Record<string, unknown> },
) => void;

function rewrite(file: string, edit: Edit): void {
  const template = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly Resources: Record<string, Parameters<Edit>[1]>;
  };
  for (const [logicalId, resource] of Object.entries(template.Resources)) edit(logicalId, resource);
  writeFileSync(file, JSON.stringify(template));
}

/** As a later Forerun might write it: another contract, and a gate of which nothing is known here. */
const fromTheFuture: Edit = (logicalId, resource) => {
  if (resource.Type === 'Custom::ForerunMigrations') {
    Object.assign(resource.Properties, { ContractVersion: '99', OnRollback: 'reconsider' });
  }
  if (resource.Type === 'AWS::Lambda::Function' && logicalId.startsWith('MigrationsGate')) {
    resource.Properties['Code'] = { ZipFile: LATER_GATE };
  }
};

const hurriedRunner =
  (seconds: number): Edit =>
  (logicalId, resource) => {
    if (resource.Type === 'AWS::Lambda::Function' && logicalId.startsWith('MigrationsRunner')) {
      resource.Properties['Timeout'] = seconds;
    }
  };

const withoutGrant =
  (action: string): Edit =>
  (logicalId, resource) => {
    if (resource.Type !== 'AWS::IAM::Policy' || !logicalId.startsWith('MigrationsRunner')) return;
    const { Statement } = resource.Properties['PolicyDocument'] as {
      Statement: { Action: string | string[] }[];
    };
    for (const one of Statement) one.Action = [one.Action].flat().filter((granted) => granted !== action);
  };

const LATER_GATE = `exports.handler = async ({ ResponseURL, StackId, RequestId, LogicalResourceId }) => {
  const PhysicalResourceId = 'forerun-migrations';
  const body = JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId, StackId, RequestId, LogicalResourceId, Data: {} });
  await fetch(ResponseURL, { method: 'PUT', body });
};`;

/** A client of the Lambda on the stage. */
export const lambdaOf = ({ environment }: Pick<Rehearsal, 'environment'>): LambdaClient =>
  new LambdaClient(settingsFor('LAMBDA', environment));

const settingsFor = (service: string, environment: Rehearsal['environment']) => ({
  endpoint: String(environment[`AWS_ENDPOINT_URL_${service}`]),
  region: String(environment['AWS_REGION']),
  credentials: {
    accessKeyId: String(environment['AWS_ACCESS_KEY_ID']),
    secretAccessKey: String(environment['AWS_SECRET_ACCESS_KEY']),
  },
});

/** Reads rows through the Data API, with the secret of the cluster that stands now. */
async function rowsOf({ environment }: Rehearsal, resources: readonly Resource[], sql: string) {
  const client = new RDSDataClient(settingsFor('RDS_DATA', environment));
  const cluster = resources.find(({ type }) => type === 'AWS::RDS::DBCluster');
  const { formattedRecords } = await client.send(
    new ExecuteStatementCommand({
      resourceArn: String(cluster?.attributes['DBClusterArn']),
      secretArn: String(cluster?.attributes['MasterUserSecret.SecretArn']),
      database: String(cluster?.properties['DatabaseName']),
      formatRecordsAs: 'JSON',
      sql,
    }),
  );
  client.destroy();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(formattedRecords ?? '[]') as Record<string, unknown>[];
}

async function executionsOf(
  rehearsal: Rehearsal,
  resources: readonly Resource[],
): Promise<readonly { readonly name: string; readonly status: string }[]> {
  const worker = resources.find(
    ({ type, logicalId }) => type === 'AWS::Lambda::Function' && logicalId.startsWith('MigrationsWorker'),
  );
  const client = lambdaOf(rehearsal);
  const { DurableExecutions = [] } = await client.send(
    new ListDurableExecutionsByFunctionCommand({ FunctionName: String(worker?.physicalId) }),
  );
  client.destroy();
  return DurableExecutions.map(({ DurableExecutionName: name = '', Status: status = '' }) => ({
    name,
    status,
  }));
}

/** The text of a migration module with these statements; `after` is the id before it. */
export function module(
  after: string,
  up: readonly string[],
  more: {
    readonly down?: readonly string[];
    readonly compatible?: boolean;
    /** Further members of the definition, as text. */
    readonly also?: string;
  } = {},
): string {
  return `import { irreversible, migration } from 'forerun';
export default migration({
  after: '${after}',
  ${more.compatible === undefined ? '' : `compatible: ${more.compatible},`}
  ${more.also ?? ''}
  up: ${way(up)},
  down: ${more.down === undefined ? `irreversible('the test says so')` : way(more.down)},
});
`;
}

const way = (statements: readonly string[]): string =>
  `async ({ op }) => { ${statements.map((sql) => `await op.execute(${JSON.stringify(sql)});`).join(' ')} }`;
