import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dataApiDatabase } from '../../lambda/data-api/database.ts';
import type { DatabaseFailure } from '../../lambda/engine/database-failure.ts';
import type { Database } from '../../lambda/engine/ports.ts';
import { startArena, type Arena } from '../campaign/arena.ts';
import { clientFor } from '../campaign/client.ts';
import { CLUSTER, SECRET } from '../campaign/engine-run.ts';
import { openLane, type Lane } from '../campaign/lane.ts';

let arena: Arena;
let lane: Lane;
let subject: Database;

beforeAll(async () => {
  arena = await startArena('hard');
  lane = await openLane(arena);
  subject = databaseWith({});
});
afterAll(async () => {
  await lane.close();
  await arena.close();
});

/** Never patient, so that the first failure shows. */
function databaseWith(target: { readonly clusterArn?: string; readonly secretArn?: string }): Database {
  return dataApiDatabase({
    client: clientFor({ endpoint: arena.dataApi.url, accessKeyId: 'FAILURES' }),
    target: {
      clusterArn: CLUSTER,
      secretArn: SECRET,
      database: lane.database,
      history: 'default',
      ...target,
    },
    clock: { now: Date.now, sleep: () => Promise.resolve() },
    random: () => 0.5,
    tell: () => undefined,
    deadlineMs: Date.now() + 600_000,
    patienceMs: 0,
  });
}

async function failureOf(work: Promise<unknown>): Promise<Pick<DatabaseFailure, 'kind' | 'ran'> | null> {
  try {
    await work;
    return null;
  } catch (cause) {
    const { kind, ran } = cause as DatabaseFailure;
    return { kind, ran };
  }
}

const NO_ROWS = { rows: false };

let tables = 0;
async function freshTable(): Promise<string> {
  tables += 1;
  await lane.direct.query(`create table effect_${tables} (n int)`);
  return `effect_${tables}`;
}

const rowsIn = async (table: string): Promise<number> =>
  Number((await lane.direct.query(`select count(*) as n from ${table}`)).rows[0]?.n);

/** A fault, what is concluded from it, and whether the call in truth took place. */
const LOSSES = [
  ['drop-before', 'unknown', 0],
  ['drop-after', 'unknown', 1],
  ['half-body', 'unknown', 1],
  ['status-500', 'unknown', 1],
  ['status-502', 'unknown', 1],
  ['status-503', 'unknown', 1],
  ['status-504', 'unknown', 1],
  ['sql-exception', 'unknown', 1],
  ['unavailable', 'unknown', 0],
  ['throttle', 'no', 0],
  ['resuming', 'no', 0],
] as const;

describe('what is concluded from a failure never contradicts what took place', () => {
  test.each(LOSSES)('%s of a statement on its own: %s', async (kind, ran, rows) => {
    const table = await freshTable();
    arena.dataApi.faults.next({ kind });
    const failure = await failureOf(subject.execute({ sql: `insert into ${table} values (1)` }, NO_ROWS));
    expect(failure?.ran).toBe(ran);
    expect(await rowsIn(table)).toBe(rows);
  });

  test.each(LOSSES)('%s of a commit: %s', async (kind, ran, rows) => {
    const table = await freshTable();
    const transaction = await subject.begin();
    await transaction.execute({ sql: `insert into ${table} values (1)` }, NO_ROWS);
    arena.dataApi.faults.next({ kind });
    expect((await failureOf(transaction.commit()))?.ran).toBe(ran);
    expect(await rowsIn(table)).toBe(rows);
    await failureOf(transaction.rollback());
  });

  test.each(LOSSES)('%s of a begin: nothing ran that could matter', async (kind) => {
    arena.dataApi.faults.next({ kind });
    expect((await failureOf(subject.begin()))?.ran).toBe('no');
  });
});

describe('failures that the service finds by itself', () => {
  test('a cluster that sleeps: did not run, will be sent again', async () => {
    arena.dataApi.addCluster({ arn: `${CLUSTER}-2` });
    arena.dataApi.pause(`${CLUSTER}-2`);
    const asleep = databaseWith({ clusterArn: `${CLUSTER}-2` });
    expect(await failureOf(asleep.execute({ sql: 'select 1' }, NO_ROWS))).toEqual({
      kind: 'asleep',
      ran: 'no',
    });
  });

  test('a cluster and a secret that are not there: did not run', async () => {
    const [cluster, secret] = [
      databaseWith({ clusterArn: `${CLUSTER}-gone` }),
      databaseWith({ secretArn: `${SECRET}-gone` }),
    ];
    expect(await failureOf(cluster.begin())).toEqual({ kind: 'invalid', ran: 'no' });
    expect(await failureOf(secret.begin())).toEqual({ kind: 'invalid', ran: 'no' });
  });

  test('an error of the database: ran and left nothing', async () => {
    const table = await freshTable();
    const sql = `insert into ${table} select 1 / 0`;
    expect(await failureOf(subject.execute({ sql }, NO_ROWS))).toEqual({ kind: 'sql', ran: 'failed' });
    expect(await rowsIn(table)).toBe(0);
  });

  test('a transaction that has ended: its statement cannot take effect, of its commit nobody knows', async () => {
    const transaction = await subject.begin();
    await transaction.rollback();
    const statement = transaction.execute({ sql: 'select 1' }, NO_ROWS);
    expect(await failureOf(statement)).toEqual({ kind: 'transaction-gone', ran: 'failed' });
    expect(await failureOf(transaction.commit())).toEqual({ kind: 'transaction-gone', ran: 'unknown' });
  });

  test('a statement beside another one of its transaction: did not run', async () => {
    const transaction = await subject.begin();
    const sleeping = transaction.execute({ sql: `do 'begin perform pg_sleep(0.5); end'` }, NO_ROWS);
    await untilActive('pg_sleep');
    const second = await failureOf(transaction.execute({ sql: 'select 1' }, NO_ROWS));
    expect(second).toEqual({ kind: 'transaction-busy', ran: 'no' });
    await sleeping;
    await transaction.rollback();
  });

  test('a session that the database ends: nobody knows of a lone statement', async () => {
    const work = failureOf(subject.execute({ sql: `do 'begin perform pg_sleep(30); end'` }, NO_ROWS));
    await untilActive('pg_sleep');
    await lane.direct.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and state = 'active'`,
    );
    expect((await work)?.ran).toBe('unknown');
  });

  test('a result that cannot be returned: the statement took effect', async () => {
    const table = await freshTable();
    await lane.direct.query(
      `create function put_${table}() returns void language sql begin atomic insert into ${table} values (1); end`,
    );
    const work = subject.execute({ sql: `select put_${table}()` }, { rows: true });
    expect(await failureOf(work)).toEqual({ kind: 'unsupported-result', ran: 'unknown' });
    expect(await rowsIn(table)).toBe(1);
  });
});

async function untilActive(text: string): Promise<void> {
  const sql = `select 1 from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid() and query like '%' || $1 || '%'`;
  while ((await lane.direct.query(sql, [text])).rows.length === 0);
}
