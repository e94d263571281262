import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { startDataApi, type DataApiOptions, type LocalDataApi } from '../../local/data-api/start-data-api.ts';
import { startPostgres } from '../../local/postgres/postgres.ts';
import { secretStore } from '../../local/secrets-manager/secret-store.ts';
import { CLUSTER, SECRET } from './engine-run.ts';

/** Its role is no superuser; who needs it creates it, with the server's own password. */
const PLAIN_ROLE = 'campaign_plain';
const PLAIN_SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:plain-AbCdEf';

/** What nobody has shown in public of the real service; the campaign runs under both sets of answers. */
export type Answers = 'hard' | 'mild';

const SWITCHES = {
  hard: {},
  mild: {
    commitOfAborted: 'committed-text',
    unsupportedResult: 'before',
    unreturnableInTransaction: 'keep',
    keepPreparedStatements: false,
  },
} as const;

/** A PostgreSQL, a Data API before it, and runner processes that wait for work. */
export interface Arena {
  readonly dataApi: LocalDataApi;
  /** Of a role named campaign_plain, which is no superuser; who needs it creates it with `password`. */
  readonly plainSecretArn: string;
  readonly password: string;
  createDatabase(name: string): Promise<void>;
  dropDatabase(name: string): Promise<void>;
  /** Past the Data API. */
  connect(name: string): Promise<Client>;
  /** A process with everything loaded. */
  runnerProcess(): Promise<ChildProcess>;
  close(): Promise<void>;
}

export async function startArena(
  answers: Answers,
  limits: Pick<DataApiOptions, 'idleLimitMs' | 'statementLimitMs'> = {},
): Promise<Arena> {
  const url = process.env['DATABASE_URL'];
  const server = await startPostgres(url === undefined ? {} : { databaseUrl: url });
  const value = JSON.stringify({ username: server.user, password: server.password });
  const plain = JSON.stringify({ username: PLAIN_ROLE, password: server.password });
  const secrets = secretStore([
    { arn: SECRET, name: 'campaign', value },
    { arn: PLAIN_SECRET, name: 'plain', value: plain },
  ]);
  const dataApi = await startDataApi({
    postgres: server,
    clusters: [{ arn: CLUSTER }],
    secrets,
    switches: SWITCHES[answers],
    ...limits,
  });
  const connect = async (database: string): Promise<Client> => {
    const { host, port, user, password } = server;
    const client = new Client({ host, port, user, password, database });
    // Dropping a database ends its sessions, ours included.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  let spare: ChildProcess | null = null;
  return {
    dataApi,
    plainSecretArn: PLAIN_SECRET,
    password: server.password,
    connect,
    createDatabase: (name) => server.createDatabase(name),
    dropDatabase: (name) => server.dropDatabase(name),
    async runnerProcess() {
      const taken = spare ?? launch();
      spare = launch();
      if (!ready.has(taken)) await firstWord(taken);
      return taken;
    },
    async close() {
      if (spare !== null) await end(spare);
      await dataApi.stop();
      await server.stop();
    },
  };
}

const ready = new WeakSet<ChildProcess>();

function launch(): ChildProcess {
  const child = fork(fileURLToPath(new URL('runner-process.ts', import.meta.url)), [], {
    execArgv: [],
    stdio: 'ignore',
  });
  child.once('message', () => ready.add(child));
  return child;
}

async function firstWord(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit').then(() => false);
  if (!(await Promise.race([once(child, 'message').then(() => true), gone]))) throw new RunnerDied();
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** A runner's process ended while it was still loading. */
class RunnerDied extends Error {
  override readonly name = 'RunnerDied';
}
