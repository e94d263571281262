import { availableParallelism, cpus } from 'node:os';
import {
  BatchExecuteStatementCommand,
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RDSDataClient,
  type SqlParameter,
} from '@aws-sdk/client-rds-data';
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector } from 'kysely';
import { bigint, numeric, table, text, timestamptz, uuid } from '../lambda/authoring/index.ts';
import { bulkInsert } from '../lambda/authoring/bulk-insert.ts';
import { bulkUpdate } from '../lambda/authoring/bulk-update.ts';
import { PlaceholderCompiler } from '../lambda/authoring/placeholder-compiler.ts';
import { dataApiDatabase } from '../lambda/data-api/database.ts';
import { realClock as clock } from '../lambda/clock.ts';
import { startDataApi } from '../local/data-api/start-data-api.ts';
import { startPostgres } from '../local/postgres/postgres.ts';
import { secretStore } from '../local/secrets-manager/secret-store.ts';

/**
 * Rows a second and calls for 100,000 rows of 6 columns: op.bulkInsert, BatchExecuteStatement with 1,000 sets a call, and
 * Kysely's multi-row inserts through a plain dialect; in one run over the local Data API, 10 ms added to each call, each
 * in one transaction.
 */
const ROWS = Number(process.argv[2] ?? 100_000);
const ADDED_MS = 10;
const SETS_A_CALL = 1000;
/** As many as 64 Ki characters of SQL surely hold; a few more would fit, depending on the digits of their parameters. */
const ROWS_A_STATEMENT = 500;
const REQUEST_BYTES = 4 * 1024 * 1024;
const NAMES = {
  resourceArn: 'arn:aws:rds:eu-west-1:123456789012:cluster:bench',
  secretArn: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:bench-AbCdEf',
  database: 'bench',
};

interface Order {
  readonly id: number;
  readonly ref: string;
  readonly name: string;
  readonly price: string;
  readonly at: string;
  readonly note: string | null;
}

const orders = table('orders', {
  id: bigint(),
  ref: uuid(),
  name: text(),
  price: numeric(),
  at: timestamptz(),
  note: text().nullable(),
});

const orderOf = (id: number): Order => ({
  id,
  ref: `6f2c1a52-5f5b-4f0c-9c1e-${String(id).padStart(12, '0')}`,
  name: `customer number ${id}`,
  price: `${id % 1000}.50`,
  at: `2026-01-${String((id % 28) + 1).padStart(2, '0')} 03:04:05.123456+00`,
  note: id % 3 === 0 ? null : 'leave it "at the door", please',
});

function* allOrders(): Generator<Order> {
  for (let id = 1; id <= ROWS; id += 1) yield orderOf(id);
}

function* chunks(size: number): Generator<Order[]> {
  for (let first = 1; first <= ROWS; first += size) {
    yield Array.from({ length: Math.min(size, ROWS - first + 1) }, (_, at) => orderOf(first + at));
  }
}

const postgres = await startPostgres();
await postgres.createDatabase(NAMES.database);
const value = JSON.stringify({ username: postgres.user, password: postgres.password });
const api = await startDataApi({
  postgres,
  clusters: [{ arn: NAMES.resourceArn }],
  secrets: secretStore([{ arn: NAMES.secretArn, name: 'bench', value }]),
  onCall: () => void api.faults.next({ kind: 'delay', delayMs: ADDED_MS }),
});
api.faults.next({ kind: 'delay', delayMs: ADDED_MS });
const client = new RDSDataClient({
  endpoint: api.url,
  region: 'eu-west-1',
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  maxAttempts: 1,
});

const field = (column: string, content: string | number | null): SqlParameter => ({
  name: column,
  value:
    content === null
      ? { isNull: true }
      : typeof content === 'number'
        ? { longValue: content }
        : { stringValue: content },
});

const database = dataApiDatabase({
  target: {
    clusterArn: NAMES.resourceArn,
    secretArn: NAMES.secretArn,
    database: NAMES.database,
    history: 'default',
  },
  clock,
  random: Math.random,
  tell: () => undefined,
  deadlineMs: Number.MAX_SAFE_INTEGER,
  client,
});
const tools = { inTransaction: true, progress: () => undefined };

async function insertInBulk(): Promise<void> {
  const session = await database.begin();
  await bulkInsert({ session, tools, table: orders, options: {} }, allOrders());
  await session.commit();
}

async function updateInBulk(): Promise<void> {
  const session = await database.begin();
  await bulkUpdate({ session, tools, table: orders, options: { key: 'id' } }, allOrders());
  await session.commit();
}

async function inOneTransaction(work: (transactionId: string) => Promise<void>): Promise<void> {
  const { transactionId = '' } = await client.send(new BeginTransactionCommand(NAMES));
  await work(transactionId);
  await client.send(new CommitTransactionCommand({ ...NAMES, transactionId }));
}

async function insertInBatches(): Promise<void> {
  const sql = 'insert into orders values (:id, :ref::uuid, :name, :price::numeric, :at::timestamptz, :note)';
  await inOneTransaction(async (transactionId) => {
    for (const rows of chunks(SETS_A_CALL)) {
      const parameterSets = rows.map((row) =>
        Object.entries(row).map(([column, cell]) => field(column, cell)),
      );
      await client.send(new BatchExecuteStatementCommand({ ...NAMES, transactionId, sql, parameterSets }));
    }
  });
}

/** What a dialect for the Data API does and no more: Kysely's SQL, its parameters by name. */
const kysely = new Kysely<{ orders: Order }>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PlaceholderCompiler(),
  },
});

async function insertByKysely(): Promise<void> {
  await inOneTransaction(async (transactionId) => {
    for (const rows of chunks(ROWS_A_STATEMENT)) {
      const { sql, parameters } = kysely
        .insertInto('orders')
        .values((eb) =>
          rows.map((row) => ({
            ...row,
            ref: eb.cast<string>(eb.val(row.ref), 'uuid'),
            price: eb.cast<string>(eb.val(row.price), 'numeric'),
            at: eb.cast<string>(eb.val(row.at), 'timestamptz'),
          })),
        )
        .compile();
      const bound = parameters.map((cell, at) =>
        field(`p${at + 1}`, typeof cell === 'number' || typeof cell === 'string' ? cell : null),
      );
      await client.send(new ExecuteStatementCommand({ ...NAMES, transactionId, sql, parameters: bound }));
    }
  });
}

interface Measured {
  readonly title: string;
  readonly seconds: number;
  readonly calls: number;
}

async function measure(title: string, work: () => Promise<void>, into?: string): Promise<Measured> {
  if (into !== undefined) await admin(`truncate ${into}`);
  api.resetCalls();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const calls = api.calls().filter(({ operation }) => /Execute/.test(operation)).length;
  return { title, seconds, calls };
}

const admin = (sql: string): Promise<unknown> => client.send(new ExecuteStatementCommand({ ...NAMES, sql }));

const line = (...cells: readonly string[]): void => {
  const [first = '', ...rest] = cells;
  process.stdout.write(`${first.padEnd(44)}${rest.map((cell) => cell.padStart(14)).join('')}\n`);
};

try {
  await admin(`create table orders (id bigint primary key, ref uuid not null, name text not null, price numeric not null,
    at timestamptz not null, note text)`);
  // Warm: code compiled, connections open.
  await insertInBulk();

  const ours = await measure('op.bulkInsert', insertInBulk, 'orders');
  const updated = await measure('op.bulkUpdate, all columns, by key', updateInBulk);
  const batch = await measure(`BatchExecuteStatement, ${SETS_A_CALL} sets a call`, insertInBatches, 'orders');
  const plain = await measure(`Kysely, ${ROWS_A_STATEMENT} rows a statement`, insertByKysely, 'orders');

  let raw = 0;
  for (const row of allOrders()) {
    for (const cell of Object.values(row)) raw += cell === null ? 0 : Buffer.byteLength(String(cell));
  }
  process.stdout.write(
    `${ROWS.toLocaleString('en')} rows of 6 columns, ${ADDED_MS} ms added to each call\n` +
      `Node ${process.versions.node}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}; PostgreSQL on the same machine\n\n`,
  );
  line('', 'rows/s', 'calls', 'time', 'against ours');
  for (const { title, seconds, calls } of [ours, updated, batch, plain]) {
    line(
      title,
      Math.round(ROWS / seconds).toLocaleString('en'),
      String(calls),
      `${seconds.toFixed(2)} s`,
      `${(seconds / ours.seconds).toFixed(1)} ×`,
    );
  }
  const least = Math.ceil(raw / REQUEST_BYTES);
  process.stdout.write(
    `\nThe values alone are ${(raw / 1024 / 1024).toFixed(2)} MiB, which need ${least} calls of 4 MiB: ` +
      `op.bulkInsert takes ${(ours.calls / least).toFixed(2)} times as many.\n`,
  );
} finally {
  client.destroy();
  await api.stop();
  await postgres.stop();
}
