import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table } from 'forerun';
import { move, work } from '../../lambda/engine/backfill/operate.ts';
import { moveBackfill } from '../../lambda/engine/backfill/postgres-state.ts';
import { splitRange } from '../../lambda/engine/backfill/postgres-split.ts';
import type { Transaction } from '../../lambda/engine/ports.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { historyOf } from '../authoring/history-of.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const ID = '0002_count';
const NOBODY = { reason: null, by: null };
const rows = table('thing', { id: bigint(), n: integer() });
const create = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table thing (id bigint primary key, n int not null default 0)');
    await op.execute('insert into thing select g from generate_series(1, 60) g');
  },
  down: irreversible('a test'),
});
/** A change that leaves no trace: a row that was changed twice, or never, shows. */
const common = {
  after: '0001_create',
  table: rows,
  key: 'id',
  frozen: true,
  pauseMs: 0,
  batchRows: 5,
  down: 'nothing to undo',
} as const;
const history = historyOf({
  '0001_create': create,
  [ID]: backfill({ ...common, set: { n: sql`n + 1` } }),
});
const operator = operatorOf(history);

const states = async (database: FreshDatabase): Promise<readonly unknown[]> =>
  (await database.query('select state from forerun.backfill')).map(({ state }) => state);
const leases = (database: FreshDatabase): Promise<readonly unknown[]> =>
  database.query(
    `select name, holder from forerun.lease where name <> 'run' and (holder is not null or name like '%:2')`,
  );
const counted = (database: FreshDatabase): Promise<readonly unknown[]> =>
  database.query('select n, count(*)::int as rows from thing group by n order by n');

/** Its ranges are made, and its first batches are done. */
async function begun(migrations = history): Promise<FreshDatabase> {
  const database = await place.freshDatabase();
  await database.up(migrations);
  let batches = 0;
  const stopped = new AbortController();
  const ports = database.ports({
    tell: ({ note }) => {
      if (note === 'batch' && (batches += 1) === 2) stopped.abort();
    },
  });
  const clock = { ...ports.clock, now: () => (stopped.signal.aborted ? 2 : 0) };
  await work([ID], operatorOf(migrations), 1, { ...ports, clock });
  expect(await states(database)).toEqual(['running']);
  return database;
}

/** A split of range 1 by another worker, whose transaction is still open. */
async function splitting(database: FreshDatabase): Promise<Transaction> {
  const transaction = await database.ports().database.begin();
  const spec = history.find(({ id }) => id === ID)?.backfill;
  if (spec === undefined) throw new TypeError(ID);
  const taker = { history: 'default', backfill: ID, checksum: `v1:${ID}`, worker: 'w2', leaseMs: 60_000 };
  const key = [{ name: 'id', column: '"id"', type: 'bigint' }];
  const [row] = await database.query(`select xmin::text as version from forerun.backfill where id = '${ID}'`);
  const at = { range: 1, keys: [['40']], version: String(row?.['version']) };
  await transaction.execute(splitRange(taker, at, spec, key), { rows: true });
  return transaction;
}

const untilSomebodyWaits = (database: FreshDatabase): Promise<void> =>
  vi.waitFor(async () => {
    const waiting = await database.query(
      `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    );
    expect(waiting).toHaveLength(1);
  });

describe('whoever stops a backfill', () => {
  test.each(['pause', 'cancel'] as const)(
    'by %s takes the lease that a split makes while it waits',
    async (way) => {
      const database = await begun();
      const split = await splitting(database);
      const stopped = move(ID, way, NOBODY, operator, database.ports(), postgres);
      await untilSomebodyWaits(database);
      await split.commit();
      await stopped;
      expect(await leases(database)).toEqual([{ name: `backfill:${ID}:2`, holder: null }]);
    },
  );

  test('lets no batch begin while it waits for the one under way', async () => {
    const database = await begun();
    const batch = await database.connect();
    await batch.query(`begin; select from forerun.lease where name = 'backfill:${ID}:1' for update`);
    let over = false;
    const stopped = move(ID, 'pause', NOBODY, operator, database.ports(), postgres).then((shown) => {
      over = true;
      return shown;
    });
    await vi.waitFor(async () => expect(await states(database)).toEqual(['paused']), { timeout: 3_000 });
    expect(over).toBe(false);
    await batch.query('commit');
    await batch.end();
    expect((await stopped).state).toBe('paused');
  });

  test('waits for that batch again where the first call ended before it', async () => {
    const database = await begun();
    await database.query(`update forerun.lease set holder = 'w1' where name = 'backfill:${ID}:1'`);
    const order = { history: 'default', backfill: ID, move: 'pause', to: 'paused', ...NOBODY } as const;
    await database.ports().database.execute(moveBackfill(order), { rows: true });
    await database.query(`update forerun.lease set holder = 'w1' where name = 'backfill:${ID}:1'`);
    expect((await move(ID, 'pause', NOBODY, operator, database.ports(), postgres)).state).toBe('paused');
    expect(await leases(database)).toEqual([]);
  });

  test('gets a batch of several statements as a whole, with its cursor', async () => {
    const pausing: Promise<unknown>[] = [];
    let database: FreshDatabase | null = null;
    const own = historyOf({
      '0001_create': create,
      [ID]: backfill({
        ...common,
        async batch({ op, rows: these }) {
          await op.execute(sql`update thing set n = n + 1 where ${these}`);
          if (database === null || pausing.length > 0) return;
          const here = database;
          pausing.push(move(ID, 'pause', NOBODY, operatorOf(own), here.ports(), postgres));
          await vi.waitFor(async () => expect(await states(here)).toEqual(['paused']), { timeout: 3_000 });
        },
      }),
    });
    const here = await begun(own);
    database = here;
    await work([ID], operatorOf(own, 'w2'), Date.now() + 60_000, here.ports());
    await Promise.all(pausing);
    expect(await states(here)).toEqual(['paused']);
    const [shown] = await here.query('select scanned::int, changed::int from forerun.backfill_range');
    const [done] = await here.query('select count(*)::int as done from thing where n = 1');
    expect(shown).toEqual({ scanned: done?.['done'], changed: done?.['done'] });
    await move(ID, 'resume', NOBODY, operatorOf(own), here.ports(), postgres);
    await work([ID], operatorOf(own), Date.now() + 60_000, here.ports());
    expect(await counted(here)).toEqual([{ n: 1, rows: 60 }]);
  });
});

describe('whoever takes a backfill back', () => {
  test('takes the range and the lease with it that a split makes meanwhile', async () => {
    const database = await begun();
    const split = await splitting(database);
    const down = database.down(history, '0001_create');
    await untilSomebodyWaits(database);
    await split.commit();
    expect((await down).error).toBeNull();
    expect(await leases(database)).toEqual([]);
    expect(await database.query('select number from forerun.backfill_range')).toEqual([]);
  });
});
