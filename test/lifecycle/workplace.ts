import { Client } from 'pg';
import { realClock } from '../../lambda/clock.ts';
import { dataApiDatabase, writingClient } from '../../lambda/data-api/database.ts';
import type { RunIdentity } from '../../lambda/engine/journal.ts';
import type { Migration, Phase } from '../../lambda/engine/migration.ts';
import type { RunResult } from '../../lambda/engine/outcome.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../../lambda/engine/limits.ts';
import type { Clock, Ports, RunNote, Transaction } from '../../lambda/engine/ports.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { run, type RunRequest } from '../../lambda/engine/run.ts';
import { startDataApi, type LocalDataApi } from '../../local/data-api/start-data-api.ts';
import { secretStore } from '../../local/secrets-manager/secret-store.ts';
import { startPostgres, type LocalPostgres } from '../../local/postgres/postgres.ts';

export { lineOf } from './line-of.ts';

export const CLUSTER = 'arn:aws:rds:eu-west-1:111122223333:cluster:workplace';
export const SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:workplace-AbCdEf';

/** A PostgreSQL with the local Data API before it; every test takes a fresh database in it. */
export interface Workplace {
  readonly dataApi: LocalDataApi;
  /** An empty one, or a copy of another one as it is now. */
  freshDatabase(original?: FreshDatabase): Promise<FreshDatabase>;
  close(): Promise<void>;
}

export interface FreshDatabase {
  readonly name: string;
  /** Asks PostgreSQL itself, past the Data API. */
  query(sql: string): Promise<readonly Record<string, unknown>[]>;
  /** A session of PostgreSQL's own, past the Data API; whoever asks for it ends it. */
  connect(): Promise<Client>;
  /** One run, by a runner of its own. */
  up(history: readonly Migration[], more?: RunOptions): Promise<RunResult>;
  down(history: readonly Migration[], to: string, more?: RunOptions): Promise<RunResult>;
  ports(more?: RunOptions): Ports;
}

export interface RunOptions {
  readonly to?: string;
  readonly atomic?: 'group' | 'migration';
  readonly environment?: string;
  readonly phase?: Phase;
  readonly runId?: string;
  readonly runKey?: string;
  readonly owner?: string;
  readonly askedAtMs?: number;
  /** What else the asker says of himself. */
  readonly asker?: Pick<RunIdentity, 'commit' | 'by' | 'through'> & { readonly deployId?: string };
  /** Awaited before the nth transaction begins, from 1. */
  readonly beforeBegin?: (nth: number) => Promise<void>;
  readonly yieldToOwnRun?: boolean;
  /** From now; the default suffices for everything. */
  readonly timeMs?: number;
  readonly secretArn?: string;
  readonly database?: string;
  readonly endpoint?: string;
  readonly patienceMs?: number;
  readonly limits?: RunLimits;
  readonly tell?: (note: RunNote) => void;
  readonly clock?: Clock;
}

let runs = 0;
let databases = 0;

export async function startWorkplace(): Promise<Workplace> {
  const url = process.env['DATABASE_URL'];
  const server = await startPostgres(url === undefined ? {} : { databaseUrl: url });
  const value = JSON.stringify({ username: server.user, password: server.password });
  const secrets = secretStore([{ arn: SECRET, name: 'workplace', value }]);
  const dataApi = await startDataApi({ postgres: server, clusters: [{ arn: CLUSTER }], secrets });
  return {
    dataApi,
    freshDatabase: (original) => freshDatabase(server, dataApi, original),
    async close() {
      await dataApi.stop();
      await server.stop();
    },
  };
}

async function freshDatabase(
  server: LocalPostgres,
  dataApi: LocalDataApi,
  original?: FreshDatabase,
): Promise<FreshDatabase> {
  databases += 1;
  const name = `forerun_test_${process.pid}_${databases}`;
  if (original === undefined) await server.createDatabase(name);
  else await server.copyDatabase(original.name, name);

  const ports = (more: RunOptions = {}): Ports => {
    const clock = more.clock ?? realClock;
    const tell = more.tell ?? (() => undefined);
    const client = writingClient({
      endpoint: more.endpoint ?? dataApi.url,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'TEST', secretAccessKey: 'test' },
    });
    const target = {
      clusterArn: CLUSTER,
      secretArn: more.secretArn ?? SECRET,
      database: more.database ?? name,
      history: 'default',
    };
    const deadlineMs = Date.now() + (more.timeMs ?? 120_000);
    const database = dataApiDatabase({
      target,
      clock,
      random: Math.random,
      tell,
      deadlineMs,
      client,
      ...(more.patienceMs === undefined ? {} : { patienceMs: more.patienceMs }),
    });
    const { beforeBegin } = more;
    if (beforeBegin === undefined) return { database, clock, random: Math.random, tell };
    let begun = 0;
    const begin = async (): Promise<Transaction> => {
      begun += 1;
      await beforeBegin(begun);
      return database.begin();
    };
    return { database: { ...database, begin }, clock, random: Math.random, tell };
  };

  const start = async (
    history: readonly Migration[],
    goal: RunRequest['goal'],
    more: RunOptions,
  ): Promise<RunResult> => {
    runs += 1;
    const request: RunRequest = {
      identity: {
        runId: more.runId ?? `run-${runs}`,
        runKey: more.runKey ?? null,
        history: 'default',
        action: goal.direction,
        deployId: null,
        owner: more.owner ?? null,
        digest: 'digest',
        ...(more.askedAtMs === undefined ? {} : { askedAtMs: more.askedAtMs }),
        ...more.asker,
      },
      history,
      goal: {
        ...goal,
        ...(more.environment === undefined ? {} : { environment: more.environment }),
        ...(more.phase === undefined ? {} : { phase: more.phase }),
      },
      deadlineMs: Date.now() + (more.timeMs ?? 120_000),
      limits: more.limits ?? DEFAULT_LIMITS,
      yieldToOwnRun: more.yieldToOwnRun ?? false,
    };
    const result = await run(request, ports(more), postgres);
    if (result === 'overtaken') throw new Overtaken();
    return result;
  };

  const connect = async (): Promise<Client> => {
    const client = new Client({
      host: server.host,
      port: server.port,
      user: server.user,
      password: server.password,
      database: name,
    });
    await client.connect();
    return client;
  };

  return {
    name,
    ports,
    up: (history, more = {}) =>
      start(history, { direction: 'up', to: more.to ?? 'head', atomic: more.atomic ?? 'group' }, more),
    down: (history, to, more = {}) =>
      start(history, { direction: 'down', to, atomic: more.atomic ?? 'group' }, more),
    connect,
    async query(sql) {
      const client = await connect();
      try {
        return (await client.query(sql)).rows as Record<string, unknown>[];
      } finally {
        await client.end();
      }
    },
  };
}

/** What a run with `yieldToOwnRun` rejects with here, when it met an earlier run of its owner. */
class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/** Everything that a run may change: the catalog of user tables, their rows, and the journal without times and names. */
export async function fingerprint(database: FreshDatabase): Promise<string> {
  const columns = await database.query(`
    select table_schema, table_name, column_name, data_type from information_schema.columns
    where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2, 3`);
  const tables = await database.query(`
    select table_name from information_schema.tables where table_schema = 'public' order by 1`);
  const rows: unknown[] = [];
  for (const { table_name: table } of tables) {
    rows.push(table, await database.query(`select * from "${String(table)}" t order by t::text`));
  }
  const journal = await database.query(
    'select history, id, checksum, after from forerun.migration order by 1, 2',
  );
  const events = await database.query('select kind, migration from forerun.event order by kind, migration');
  return JSON.stringify({ columns, rows, journal, events });
}
