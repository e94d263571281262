import { availableParallelism } from 'node:os';
import { ExecuteStatementCommand, RDSDataClient } from '@aws-sdk/client-rds-data';
import { Client, Pool } from 'pg';
import { startDataApi } from '../local/data-api/start-data-api.ts';
import { startPostgres } from '../local/postgres/postgres.ts';
import { secretStore } from '../local/secrets-manager/secret-store.ts';

/** What a call of the local Data API costs, beside the same statement sent with pg to the same server in the same run. */
const CALLS = Number(process.argv[2] ?? 2000);
const AT_ONCE = 16;
const NAMES = {
  resourceArn: 'arn:aws:rds:eu-west-1:123456789012:cluster:bench',
  secretArn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:bench-AbCdEf',
  database: 'bench',
};

const postgres = await startPostgres();
await postgres.createDatabase(NAMES.database);
const value = JSON.stringify({ username: postgres.user, password: postgres.password });
const api = await startDataApi({
  postgres,
  clusters: [{ arn: NAMES.resourceArn }],
  secrets: secretStore([{ arn: NAMES.secretArn, name: 'bench', value }]),
  callsKept: 0,
});
const client = new RDSDataClient({
  endpoint: api.url,
  region: 'eu-west-1',
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
});
const { host, port, user, password } = postgres;
const login = { host, port, user, password, database: NAMES.database };
const alone = new Client(login);
await alone.connect();
const pool = new Pool({ ...login, max: AT_ONCE });

interface Statement {
  readonly title: string;
  readonly viaApi: () => Promise<unknown>;
  readonly viaPg: (session: Client | Pool) => Promise<unknown>;
}

const statement = (title: string, sql: string, parameter?: number): Statement => {
  const command = {
    ...NAMES,
    sql,
    ...(parameter === undefined ? {} : { parameters: [{ name: 'n', value: { longValue: parameter } }] }),
  };
  const text = sql.replace(':n', '$1');
  const values = parameter === undefined ? [] : [parameter];
  return {
    title,
    viaApi: async () => client.send(new ExecuteStatementCommand(command)),
    // Under a name, because the Data API prepares its statements as well.
    viaPg: async (session) => session.query({ name: title, text, values }),
  };
};

/** Milliseconds for all calls, so many of them under way at any time. */
async function time(call: () => Promise<unknown>, atOnce: number): Promise<number> {
  let left = CALLS;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left > 0) {
        left -= 1;
        await call();
      }
    }),
  );
  return performance.now() - started;
}

const row = (...cells: readonly string[]): void => {
  process.stdout.write(
    `${(cells[0] ?? '').padEnd(22)}${cells
      .slice(1)
      .map((cell) => cell.padStart(13))
      .join('')}\n`,
  );
};

try {
  await alone.query('create table bench (n bigint primary key, t text)');
  await alone.query("insert into bench select n, repeat('x', 50) from generate_series(1, 10000) n");
  const statements = [
    statement('select 1', 'select 1'),
    statement('one row by key', 'select n, t from bench where n = :n', 42),
    statement('a hundred rows', 'select n, t from bench order by n limit 100'),
    statement('update one row', 'update bench set t = t where n = :n', 42),
  ];
  process.stdout.write(
    `${CALLS} calls each; Node ${process.versions.node}, ${availableParallelism()} processors\n\n`,
  );
  row('one at a time', 'calls/s', 'pg calls/s', 'added ms', 'ratio');
  for (const { title, viaApi, viaPg } of statements) {
    await time(viaApi, 1);
    await time(async () => viaPg(alone), 1);
    const [ours, theirs] = [await time(viaApi, 1), await time(async () => viaPg(alone), 1)];
    row(
      title,
      perSecond(ours),
      perSecond(theirs),
      ((ours - theirs) / CALLS).toFixed(2),
      (ours / theirs).toFixed(1),
    );
  }
  process.stdout.write('\n');
  row(`${AT_ONCE} at a time`, 'calls/s', 'pg calls/s', '', 'ratio');
  for (const { title, viaApi, viaPg } of statements.slice(0, 3)) {
    const [ours, theirs] = [await time(viaApi, AT_ONCE), await time(async () => viaPg(pool), AT_ONCE)];
    row(title, perSecond(ours), perSecond(theirs), '', (ours / theirs).toFixed(1));
  }
} finally {
  await pool.end();
  await alone.end();
  client.destroy();
  await api.stop();
  await postgres.stop();
}

function perSecond(milliseconds: number): string {
  return ((CALLS * 1000) / milliseconds).toFixed(0);
}
