import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from 'pg';
import { vi } from 'vitest';
import type { MigrationDefinition } from '../../lambda/authoring/migration.ts';
import type { RunnerAnswer, Target } from '../../lambda/contract.ts';
import { createRunner, type RunnerBundle } from '../../lambda/runner.ts';
import { startDataApi, type LocalDataApi } from '../../local/data-api/start-data-api.ts';
import { startPostgres } from '../../local/postgres/postgres.ts';
import { secretStore } from '../../local/secrets-manager/secret-store.ts';
import { startSecretsManager } from '../../local/secrets-manager/start-secrets-manager.ts';

const CLUSTER = 'arn:aws:rds:eu-west-1:111122223333:cluster:runner';
const DATABASE_SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:runner-AbCdEf';

/** Migrations by id, each with the code that it holds now. */
export type Definitions = Readonly<Record<string, MigrationDefinition>>;

/** Runners over a database of their own, in this process, as Lambda would call them. */
export interface RunnerPlace {
  readonly dataApi: LocalDataApi;
  readonly server: { readonly host: string; readonly port: number };
  /** Name of the present test's database. */
  database(): string;
  /** Where the present test's database is. */
  target(): Target;
  /** A new database, and an empty log. */
  freshDatabase(): Promise<void>;
  /** Asks a runner that holds these migrations; a repeatable's checksum is its `id` and what `versions` says of it. */
  ask(
    definitions: Definitions,
    event: object,
    versions?: Readonly<Record<string, number>>,
  ): Promise<RunnerAnswer>;
  /** Asks the runner in a folder, as `bundle` wrote it. */
  askBundle(folder: string, event: object): Promise<RunnerAnswer>;
  /** One column after the other, past the Data API. */
  rows(sql: string): Promise<readonly unknown[]>;
  /** What the runners have printed since the database is fresh. */
  said(): string;
  close(): Promise<void>;
}

let databases = 0;

export async function startRunnerPlace(
  more: readonly { readonly arn: string; readonly name: string; readonly value: string }[] = [],
): Promise<RunnerPlace> {
  const url = process.env['DATABASE_URL'];
  const server = await startPostgres(url === undefined ? {} : { databaseUrl: url });
  const value = JSON.stringify({ username: server.user, password: server.password });
  const secrets = secretStore([{ arn: DATABASE_SECRET, name: 'runner', value }, ...more]);
  const dataApi = await startDataApi({ postgres: server, clusters: [{ arn: CLUSTER }], secrets });
  const secretsManager = await startSecretsManager({ secrets });
  let database = '';
  let said = '';
  const target = (): Target => ({
    clusterArn: CLUSTER,
    secretArn: DATABASE_SECRET,
    database,
    history: 'default',
  });
  const askRunner = (runner: ReturnType<typeof createRunner>, event: object): Promise<RunnerAnswer> =>
    runner(
      {
        target: target(),
        ...event,
      },
      {
        awsRequestId: 'request',
        logGroupName: 'group',
        logStreamName: 'stream',
        invokedFunctionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:runner',
        getRemainingTimeInMillis: () => 120_000,
      },
    );
  return {
    dataApi,
    server,
    database: () => database,
    target,
    async freshDatabase() {
      databases += 1;
      database = `forerun_runner_${process.pid}_${databases}`;
      await server.createDatabase(database);
      said = '';
      vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
        said += String(line);
        return true;
      });
      vi.stubEnv('AWS_ENDPOINT_URL_RDS_DATA', dataApi.url);
      vi.stubEnv('AWS_ENDPOINT_URL_SECRETS_MANAGER', secretsManager.url);
      vi.stubEnv('AWS_REGION', 'eu-west-1');
      vi.stubEnv('AWS_ACCESS_KEY_ID', 'TEST');
      vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
    },
    ask(definitions, event, versions = {}) {
      return askRunner(createRunner(bundleOf(definitions, versions)), event);
    },
    async askBundle(folder, event) {
      const written: { handler: ReturnType<typeof createRunner> } = await import(
        pathToFileURL(join(folder, 'index.mjs')).href
      );
      return askRunner(written.handler, event);
    },
    async rows(sql) {
      const { host, port, user, password } = server;
      const client = new Client({ host, port, user, password, database });
      await client.connect();
      try {
        return (await client.query({ text: sql, rowMode: 'array' })).rows.flat();
      } finally {
        await client.end();
      }
    },
    said: () => said,
    async close() {
      await secretsManager.stop();
      await dataApi.stop();
      await server.stop();
    },
  };
}

/** What the build hands over for these migrations. */
export function bundleOf(
  definitions: Definitions,
  versions: Readonly<Record<string, number>> = {},
): RunnerBundle {
  const bundled = Object.entries(definitions).map(([id, definition]) => ({
    id,
    after: definition.after,
    checksum: `v1:${id}${versions[id] ?? ''}`,
    definition,
  }));
  return {
    digest: 'digest',
    migrations: bundled.filter(({ definition }) => definition.repeatable !== true),
    repeatables: bundled.filter(({ definition }) => definition.repeatable === true),
  };
}

export const stepsOf = (answer: RunnerAnswer): unknown =>
  'result' in answer ? answer.result.steps.map((step) => ({ ...step })) : answer;

export const errorOf = (answer: RunnerAnswer) =>
  'result' in answer ? answer.result.error : 'error' in answer ? answer.error : null;
