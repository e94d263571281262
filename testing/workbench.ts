import { mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bundle, bundle } from '../infra/bundle.ts';
import { realClock } from '../lambda/clock.ts';
import type { RunnerAnswer, Target } from '../lambda/contract.ts';
import { dataApiDatabase, writingClient } from '../lambda/data-api/database.ts';
import type { Revision } from '../lambda/engine/migration.ts';
import type { Database } from '../lambda/engine/ports.ts';
import { startDataApi } from '../local/data-api/start-data-api.ts';
import { startLambda, type LogLine } from '../local/lambda/start-lambda.ts';
import { type LocalPostgres, startPostgres } from '../local/postgres/postgres.ts';
import { secretStore } from '../local/secrets-manager/secret-store.ts';
import { startSecretsManager } from '../local/secrets-manager/start-secrets-manager.ts';
import { answerOf } from './runner-answer.ts';

const CLUSTER = 'arn:aws:rds:eu-west-1:111122223333:cluster:forerun-testing';
const SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:forerun-testing-AbCdEf';
const ROLE = 'arn:aws:iam::111122223333:role/forerun-testing';

/** The runner's own limit on AWS. */
const RUNNER_SECONDS = 660;

/** What migrations get besides the database, as the construct gives it to them. */
export interface Surroundings {
  /** Name of the environment, for migrations that are limited to some. @default none: every migration runs */
  readonly environment?: string;
  /** Values for migrations that declare `params`. */
  readonly params?: Readonly<Record<string, unknown>>;
  /**
   * Texts of the secrets that migrations name, by the name or ARN that they give; a secret with members is written as JSON.
   *
   * @example secrets: { 'prod/app-role': '{"password":"only for tests"}' }
   */
  readonly secrets?: Readonly<Record<string, string>>;
}

const arnOf = (nameOrArn: string): string =>
  nameOrArn.startsWith('arn:')
    ? nameOrArn
    : `arn:aws:secretsmanager:eu-west-1:111122223333:secret:${nameOrArn}`;

/** Events in which the runner takes surroundings, and those in which it wants the database named once more. */
const TOLD: ReadonlySet<string> = new Set(['up', 'down', 'plan']);
const CONFIRMED: ReadonlySet<string> = new Set(['down', 'stamp']);

/** A history with the runner that carries it, built as for a deploy. */
export interface BuiltHistory {
  readonly migrations: readonly Revision[];
  readonly head: string;
  /** Sends the runner an event for one database. */
  ask(
    event: { readonly action: string; readonly [member: string]: unknown },
    database: string,
  ): Promise<RunnerAnswer>;
}

/** A PostgreSQL with the local AWS before it, in which databases and runners come and go. */
export interface Workbench {
  readonly postgres: LocalPostgres;
  /** Builds the history of a folder; the same folder in the same surroundings is built once. */
  history(directory: string, surroundings?: Surroundings): Promise<BuiltHistory>;
  newDatabase(): Promise<string>;
  copyOf(database: string): Promise<string>;
  /** Needs no waiting for. */
  drop(database: string): void;
  /** The engine's port over the Data API; every statement commits alone. */
  connect(database: string): Database;
  /** Stops everything and leaves nothing behind. */
  close(): Promise<void>;
}

/**
 * Starts a workbench over an embedded PostgreSQL, or over the one that `DATABASE_URL` names. `directory` is the history that
 * will be wanted first.
 */
export async function startWorkbench(directory?: string): Promise<Workbench> {
  // The history is built while the server starts.
  const first = directory === undefined ? undefined : { directory, built: build(directory) };
  first?.built.catch(() => undefined);
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (const one of closers.splice(0).toReversed()) await one();
  };
  try {
    const url = process.env['DATABASE_URL'] || undefined;
    const postgres = await startPostgres(url === undefined ? {} : { databaseUrl: url });
    closers.push(() => postgres.stop());
    const databases = databasesIn(postgres, url === undefined);
    closers.push(() => databases.close());
    const value = JSON.stringify({ username: postgres.user, password: postgres.password });
    const secrets = secretStore([{ arn: SECRET, name: 'forerun-testing', value }]);
    const dataApi = await startDataApi({ postgres, clusters: [{ arn: CLUSTER }], secrets, callsKept: 0 });
    closers.push(() => dataApi.stop());
    const secretsManager = await startSecretsManager({ secrets });
    closers.push(() => secretsManager.stop());
    const lambda = await startLambda({
      env: {
        AWS_ENDPOINT_URL_RDS_DATA: dataApi.url,
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsManager.url,
      },
      onLog: passOn,
    });
    closers.push(() => lambda.close());
    const credentials = { accessKeyId: 'TESTING', secretAccessKey: 'testing' };
    const client = writingClient({ endpoint: dataApi.url, region: 'eu-west-1', credentials });
    closers.push(() => {
      client.destroy();
      return Promise.resolve();
    });
    const targetOf = (database: string): Target => ({
      clusterArn: CLUSTER,
      secretArn: SECRET,
      database,
      history: 'default',
    });
    const provide = async (
      built: Promise<Built>,
      { secrets: given = {}, ...told }: Surroundings,
    ): Promise<BuiltHistory> => {
      const { migrations, head, runner, outdir } = await built;
      const name = `runner-${randomBytes(6).toString('hex')}`;
      const { arn } = await lambda.createFunction(name, {
        code: { directory: runner },
        role: ROLE,
        handler: 'index.handler',
        memoryMb: 512,
        timeoutSeconds: RUNNER_SECONDS,
      });
      // The function has a copy of its own.
      await rm(outdir, { recursive: true, force: true });
      return {
        migrations,
        head,
        async ask(event, database) {
          for (const [name, value] of Object.entries(given)) secrets.put({ arn: arnOf(name), name, value });
          const payload = {
            ...event,
            ...(TOLD.has(event.action) ? told : {}),
            ...(CONFIRMED.has(event.action) ? { confirm: database } : {}),
            target: targetOf(database),
          };
          return answerOf(await lambda.invoke(arn, payload));
        },
      };
    };
    const histories = new Map<string, Promise<BuiltHistory>>();
    return {
      postgres,
      history(directory, surroundings = {}) {
        const key = JSON.stringify([directory, surroundings]);
        const built = histories.size === 0 && first?.directory === directory ? first.built : undefined;
        const known = histories.get(key) ?? provide(built ?? build(directory), surroundings);
        histories.set(key, known);
        return known;
      },
      newDatabase: databases.create,
      copyOf: databases.copy,
      drop: databases.drop,
      connect: (database) =>
        dataApiDatabase({
          target: targetOf(database),
          clock: realClock,
          random: Math.random,
          tell: () => undefined,
          deadlineMs: Number.MAX_SAFE_INTEGER,
          client,
        }),
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

type Built = Bundle & { readonly outdir: string };

async function build(directory: string): Promise<Built> {
  const outdir = await mkdtemp(join(tmpdir(), 'forerun-testing-'));
  try {
    return { ...(await bundle({ directory, outdir })), outdir };
  } catch (cause) {
    await rm(outdir, { recursive: true, force: true });
    throw cause;
  }
}

function databasesIn(postgres: LocalPostgres, embedded: boolean) {
  // A server named by DATABASE_URL may serve several machines' tests at once.
  const prefix = `forerun_test_${randomBytes(5).toString('hex')}`;
  const made = new Set<string>();
  const leaving = new Set<Promise<void>>();
  let count = 0;
  const next = (): string => {
    count += 1;
    const name = `${prefix}_${count}`;
    made.add(name);
    return name;
  };
  return {
    async create(this: void): Promise<string> {
      const name = next();
      await postgres.createDatabase(name);
      return name;
    },
    async copy(this: void, original: string): Promise<string> {
      const name = next();
      await postgres.copyDatabase(original, name);
      return name;
    },
    /** Goes on behind the caller's back, who has no more use for it. */
    drop(this: void, name: string): void {
      // What was not dropped now is tried again at the end.
      const dropping = postgres.dropDatabase(name).then(
        () => void made.delete(name),
        () => undefined,
      );
      leaving.add(dropping);
      void dropping.then(() => leaving.delete(dropping));
    },
    async close(): Promise<void> {
      await Promise.all(leaving);
      // An embedded server goes with everything in it.
      if (!embedded) for (const name of made) await postgres.dropDatabase(name);
    },
  };
}

/** What a migration prints belongs to whoever runs the test; the runner's own notes, which are JSON, do not. */
function passOn({ line }: LogLine): void {
  if (!line.startsWith('{')) process.stdout.write(`${line}\n`);
}
