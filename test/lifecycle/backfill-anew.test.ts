import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  backfill,
  bigint,
  integer,
  irreversible,
  migration,
  sql,
  table,
  type MigrationDefinition,
} from 'forerun';
import { move, work } from '../../lambda/engine/backfill/operate.ts';
import { enqueueBackfill } from '../../lambda/engine/backfill/postgres-state.ts';
import type { Migration } from '../../lambda/engine/migration.ts';
import type { RunResult } from '../../lambda/engine/outcome.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { historyOf } from '../authoring/history-of.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const ID = '0002_fill';
const rows = table('thing', { id: bigint(), n: integer().nullable(), m: integer() });
const create = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table thing (id bigint primary key, n int, m int not null default 0)');
    await op.execute('insert into thing select g from generate_series(1, 100) g');
  },
  down: ({ op }) => op.execute('drop table thing'),
});
const common = {
  after: '0001_create',
  table: rows,
  key: 'id',
  hold: true,
  pauseMs: 0,
  batchRows: 20,
  down: 'nothing to undo',
} as const;
const fill = (n: ReturnType<typeof sql<number | null>>): MigrationDefinition =>
  backfill({ ...common, where: sql`n is null`, set: { n, m: sql`m + 1` } });

/** Leaves its own `where` true from row 21 on. */
const bad = release({ [ID]: fill(sql`case when id <= 20 then 1 end`) });
const mended = release({ [ID]: fill(sql`2`) }, 2);
const renamed = release({ '0002_fill_again': fill(sql`2`) });

/** What a release holds; another version of the files has other checksums. */
function release(definitions: Readonly<Record<string, MigrationDefinition>>, version = 1) {
  return historyOf({ '0001_create': create, ...definitions }).map((one) =>
    version === 1 || one.backfill === undefined ? one : { ...one, checksum: `v${version}:${one.id}` },
  );
}

const deploy = (history: readonly Migration[], database: FreshDatabase): Promise<RunResult> =>
  database.up(history, { clock: fastClock() });

async function person(way: 'cancel' | 'retry', database: FreshDatabase): Promise<void> {
  await move(ID, way, { reason: null, by: null }, operatorOf([]), database.ports(), postgres);
}

/** Does what the refusal says a person may do. */
async function follow(
  { error }: RunResult,
  way: 'cancel' | 'retry',
  database: FreshDatabase,
): Promise<string> {
  const next = error?.text.next ?? '';
  expect(next).toContain(`{"action":"${way}","backfill":"${ID}"}`);
  await person(way, database);
  return next;
}

const tally = (database: FreshDatabase): Promise<readonly unknown[]> =>
  database.query('select n, count(*)::int as rows from thing group by n order by n');
const ALL = [
  { n: 1, rows: 20 },
  { n: 2, rows: 80 },
];

async function failed(): Promise<FreshDatabase> {
  const database = await place.freshDatabase();
  const first = await deploy(bad, database);
  expect(first.error?.code).toBe('backfill-stopped');
  expect(first.error?.text.next).toContain('deploy again');
  expect(await database.query('select state from forerun.backfill')).toEqual([{ state: 'failed' }]);
  expect(await tally(database)).toEqual([
    { n: 1, rows: 20 },
    { n: null, rows: 80 },
  ]);
  return database;
}

describe('out of a backfill that failed because its file is wrong leads', () => {
  test('to cancel it and to deploy the mended file: it begins anew, and what was done stands', async () => {
    const database = await failed();
    const refused = await deploy(mended, database);
    expect(refused.error?.code).toBe('backfill-refused');
    expect(await follow(refused, 'cancel', database)).toContain('deploy again');
    expect((await deploy(mended, database)).error).toBeNull();
    expect(await tally(database)).toEqual(ALL);
    const lines = await database.query(
      'select move, from_state, to_state from forerun.backfill_event order by id',
    );
    expect(lines).toContainEqual({ move: 'deploy', from_state: 'cancelled', to_state: 'enqueued' });
    expect((await deploy(mended, database)).dataApiCalls).toBe(1);
  });

  test('no retry of the mended file, but from there the same way', async () => {
    const database = await failed();
    const refused = await deploy(bad, database);
    await follow(refused, 'retry', database);
    await follow(await deploy(mended, database), 'cancel', database);
    expect((await deploy(mended, database)).error).toBeNull();
    expect(await tally(database)).toEqual(ALL);
  });

  test('no restored file once it is cancelled, but from there to retry or to a mended file', async () => {
    const database = await failed();
    await follow(await deploy(bad, database), 'cancel', database);
    const refused = await deploy(bad, database);
    expect(refused.error?.text.next).toContain('deploy again');
    await follow(refused, 'retry', database);
    await follow(await deploy(bad, database), 'cancel', database);
    expect((await deploy(mended, database)).error).toBeNull();
    expect(await tally(database)).toEqual(ALL);
  });

  test('to cancel it and to deploy the file under another name', async () => {
    const database = await failed();
    const refused = await deploy(renamed, database);
    expect(refused.error?.code).toBe('plan-missing');
    await follow(refused, 'cancel', database);
    expect((await deploy(renamed, database)).error).toBeNull();
    expect(await tally(database)).toEqual(ALL);
  });

  test('to cancel it and to go down', async () => {
    const database = await failed();
    const refused = await database.down(bad, 'base');
    expect(refused.error?.code).toBe('plan-half-done');
    await follow(refused, 'cancel', database);
    expect((await database.down(bad, 'base')).error).toBeNull();
    expect(await database.query(`select to_regclass('thing') as there`)).toEqual([{ there: null }]);
  });
});

/** It fails at row 21. */
const loose = (n: number): MigrationDefinition =>
  backfill({
    ...common,
    hold: false,
    where: sql`n is null`,
    set: { n: sql.lit(n), m: sql`100 / (id - 21)` },
  });

test('of one that does not hold the deploy the rest goes into a backfill of another name', async () => {
  const first = release({ [ID]: loose(1) });
  const database = await place.freshDatabase();
  await deploy(first, database);
  const ports = database.ports({ clock: fastClock() });
  await work([ID], operatorOf(first), ports.clock.now() + 600_000, ports);
  expect(await database.query('select state from forerun.backfill')).toEqual([{ state: 'paused' }]);
  const strict = migration({
    after: ID,
    needs: [ID],
    up: ({ op }) => op.execute('alter table thing alter column n set not null'),
    down: irreversible('a test'),
  });
  const needing = await deploy(release({ [ID]: loose(1), '0003_strict': strict }), database);
  expect(needing.error?.text.next).toContain('which later migrations then need');
  await follow(await deploy(release({ [ID]: loose(2) }, 2), database), 'cancel', database);
  const rest = fill(sql`2`);
  const needsRest = { ...strict, after: ['0003_rest'], needs: ['0003_rest'] };
  const last = await deploy(
    release({ [ID]: loose(1), '0003_rest': rest, '0004_strict': needsRest }),
    database,
  );
  expect(last.error).toBeNull();
  expect(await tally(database)).toEqual(ALL);
});

const raised = (database: FreshDatabase): Promise<readonly unknown[]> =>
  database.query('select m, count(*)::int as rows from thing group by m order by m');

describe('a frozen set', () => {
  /** Each row once is m = 1; it cannot be done for row `at`. */
  const raise = (at: number, more: object = {}): MigrationDefinition =>
    backfill({ ...common, frozen: true, set: { m: sql`m + 1 + 0 / (id - ${sql.lit(at)})` }, ...more });
  const fine = backfill({ ...common, frozen: true, set: { m: sql`m + 1` } });

  async function stoppedAt(row: number): Promise<FreshDatabase> {
    const database = await place.freshDatabase();
    const first = await deploy(release({ [ID]: raise(row) }), database);
    await follow(first, 'cancel', database);
    return database;
  }

  test('of which rows are changed does not begin anew, because nobody could tell them; the old file goes on', async () => {
    const database = await stoppedAt(50);
    const before = await raised(database);
    expect(before).toEqual([
      { m: 0, rows: 51 },
      { m: 1, rows: 49 },
    ]);
    const refused = await deploy(release({ [ID]: fine }, 2), database);
    expect(refused.error?.code).toBe('backfill-refused');
    expect(refused.error?.text.what).toContain('nobody can tell');
    expect(await raised(database)).toEqual(before);
    await database.query('delete from thing where id = 50');
    await follow(refused, 'retry', database);
    expect((await deploy(release({ [ID]: raise(50) }), database)).error).toBeNull();
    expect(await raised(database)).toEqual([{ m: 1, rows: 99 }]);
  });

  test('of which rows are changed gives way to a backfill of another name for the others', async () => {
    const database = await stoppedAt(50);
    const refused = await deploy(release({ [ID]: fine }, 2), database);
    expect(refused.error?.text.next).toContain('another name');
    const rest = backfill({ ...common, frozen: true, where: sql`id >= 50`, set: { m: sql`m + 1` } });
    expect((await deploy(release({ '0002_rest': rest }), database)).error).toBeNull();
    expect(await raised(database)).toEqual([{ m: 1, rows: 100 }]);
  });

  test('of which no row is changed yet is captured anew', async () => {
    const database = await stoppedAt(1);
    await database.query('insert into thing select g from generate_series(101, 110) g');
    expect((await deploy(release({ [ID]: fine }, 2), database)).error).toBeNull();
    expect(await raised(database)).toEqual([{ m: 1, rows: 110 }]);
    expect(await database.query(`select relname from pg_class where relname like 'target%'`)).toEqual([]);
  });
});

test('a worker of the old file takes no range of what was begun anew', async () => {
  const old = release({ [ID]: backfill({ ...common, where: sql`n is null`, set: { n: 1 } }) });
  const database = await place.freshDatabase();
  await database.up(old, { to: '0001_create' });
  const order = { history: 'default', backfill: ID, hold: true, frozen: false, pauseMs: 20, parallel: 1 };
  const enqueue = (checksum: string) =>
    database.ports().database.execute(enqueueBackfill({ ...order, checksum }), { rows: true });
  await enqueue(`v1:${ID}`);
  const ports = database.ports();
  let slept = false;
  const clock = {
    ...ports.clock,
    async sleep(milliseconds: number, cancel?: AbortSignal): Promise<void> {
      // Between two batches of the old worker.
      if (slept) return ports.clock.sleep(milliseconds, cancel);
      slept = true;
      await person('cancel', database);
      await enqueue(`v2:${ID}`);
      // Its ranges are made, and nothing is done.
      const now = { ...ports.clock, now: () => 2 };
      await work([ID], operatorOf(mended), 1, { ...ports, clock: now });
    },
  };
  await work([ID], operatorOf(old), Date.now() + 30_000, { ...ports, clock });
  expect(await tally(database)).toEqual([
    { n: 1, rows: 20 },
    { n: null, rows: 80 },
  ]);
  await work([ID], operatorOf(mended), Date.now() + 30_000, ports);
  expect(await tally(database)).toEqual(ALL);
});
