import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table } from 'forerun';
import { READ_SIGNALS } from '../../lambda/engine/backfill/postgres-state.ts';
import { isAlone } from '../../lambda/engine/backfill/throttle.ts';
import { DEFAULT_LIMITS } from '../../lambda/engine/limits.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
import { startWorkplace, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterEach(() => place.dataApi.faults.clear());
afterAll(() => place.close());

const things = table('thing', { id: bigint(), n: integer() });

const create = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table thing (id bigint primary key, n int not null default 0)');
    await op.execute('insert into thing select g from generate_series(1, 60) g');
    await op.execute(
      `create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.2); return new; end'`,
    );
    await op.execute(`create function due(id bigint) returns boolean language sql volatile as 'select true'`);
  },
  down: irreversible('a test'),
});

const common = {
  after: '0001_create',
  table: things,
  key: 'id',
  hold: true,
  pauseMs: 1_000,
  batchRows: 20,
  down: 'nothing to undo',
} as const;

const SLOW_TRIGGER =
  'create trigger slow before update on thing for each row when (new.id % 3 = 0) execute function slow()';
const SLOW_WHERE = `create or replace function due(id bigint) returns boolean language plpgsql volatile as 'begin if id % 3 = 0 then perform pg_sleep(0.2); end if; return true; end'`;

describe('a batch that suddenly turns slow', () => {
  test.each([
    ['set', backfill({ ...common, where: sql`n < 100`, set: { n: sql`n + 100` } }), SLOW_TRIGGER],
    [
      'transform, where it reads',
      backfill({ ...common, where: sql`n < 100 and due(id)`, transform: ({ n }) => ({ n: n + 100 }) }),
      SLOW_WHERE,
    ],
    [
      'transform, where it writes',
      backfill({ ...common, where: sql`n < 100`, transform: ({ n }) => ({ n: n + 100 }) }),
      SLOW_TRIGGER,
    ],
  ])('is stopped by the database in its only call: %s', async (_form, raise, slowly) => {
    const database = await place.freshDatabase();
    const clock = fastClock();
    const happened: Promise<unknown>[] = [];
    place.dataApi.resetCalls();
    const result = await database.up(historyOf({ '0001_create': create, '0002_raise': raise }), {
      clock: {
        now: () => clock.now(),
        async sleep(milliseconds, cancel) {
          await Promise.all(happened);
          await clock.sleep(milliseconds, cancel);
        },
      },
      limits: { ...DEFAULT_LIMITS, statementTimeoutMs: 700 },
      tell: (note) => {
        if (note.note === 'batch' && happened.length === 0) happened.push(database.query(slowly));
      },
    });
    expect(result.error).toBeNull();
    const stopped = place.dataApi.calls().filter(({ error }) => error?.sqlState === '57014');
    expect(stopped.filter(({ transactionId }) => transactionId === undefined).length).toBeGreaterThan(0);
    expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
      { n: 100, rows: 60 },
    ]);
  });
});

const isSignal = ({ sql: text }: { readonly sql: string | undefined }): boolean =>
  text?.includes('forerun signals') === true;

describe('the load of the database', () => {
  test('that cannot be read holds the work until it can', async () => {
    const database = await place.freshDatabase();
    for (const nth of [1, 2, 3]) place.dataApi.faults.next({ kind: 'sql-exception', where: isSignal, nth });
    const held: string[] = [];
    let batches = 0;
    const result = await database.up(
      historyOf({
        '0001_create': create,
        '0002_raise': backfill({ ...common, where: sql`n < 100`, set: { n: sql`n + 100` } }),
      }),
      {
        clock: fastClock(),
        tell: (note) => {
          if (note.note === 'batch') batches += 1;
          if (note.note === 'waiting' && batches === 0) held.push(note.reason);
        },
      },
    );
    expect(result.error).toBeNull();
    expect(held.length).toBeGreaterThan(1);
    for (const reason of held) expect(reason).toContain('the load of the database could not be read');
    expect(batches).toBeGreaterThan(0);
  });

  test('is that of others: a session that has last worked for us does not count, its neighbour does', async () => {
    const database = await place.freshDatabase();
    await database.up(historyOf({ '0001_create': create }));
    const ports = database.ports();
    const read = async (): Promise<boolean> => {
      const { rows } = await ports.database.execute(READ_SIGNALS, { rows: true });
      return isAlone(rows[0] ?? {});
    };
    const session = await database.connect();
    // As another lane of ours leaves it, for some milliseconds or for as long as it works on.
    await session.query(`select token from forerun.lease where name = 'run'`);
    expect(await read()).toBe(true);
    await session.query('/* forerun 0002_raise */ select 1');
    expect(await read()).toBe(true);
    await session.query('select n from thing limit 1');
    expect(await read()).toBe(false);
    await session.end();
  });

  test('holds the work by the limit that the backfill itself names', async () => {
    const database = await place.freshDatabase();
    await database.up(historyOf({ '0001_create': create }));
    const [holder, one, two] = [await database.connect(), await database.connect(), await database.connect()];
    await holder.query('select pg_advisory_lock(1)');
    const busy = [one, two].map((session) => session.query('select pg_advisory_lock_shared(1)'));
    const blocked = `select from pg_locks where locktype = 'advisory' and not granted`;
    while ((await database.query(blocked)).length < 2) await setImmediate();
    const held: string[] = [];
    const raise = backfill({ ...common, activeSessions: 1, where: sql`n < 100`, set: { n: sql`n + 100` } });
    const result = await database.up(historyOf({ '0001_create': create, '0002_raise': raise }), {
      clock: fastClock(),
      tell: (note) => {
        if (note.note !== 'waiting') return;
        held.push(note.reason);
        if (held.length === 1) void holder.query('select pg_advisory_unlock(1)');
      },
    });
    await Promise.all(busy);
    await Promise.all([holder.end(), one.end(), two.end()]);
    expect(result.error).toBeNull();
    expect(held[0]).toBe('2 other sessions are at work');
  });

  test('that can never be read ends the run without a batch, and says so', async () => {
    const database = await place.freshDatabase();
    for (let nth = 1; nth < 100; nth += 1) {
      place.dataApi.faults.next({ kind: 'sql-exception', where: isSignal, nth });
    }
    const result = await database.up(
      historyOf({
        '0001_create': create,
        '0002_raise': backfill({ ...common, where: sql`n < 100`, set: { n: sql`n + 100` } }),
      }),
      { clock: fastClock(), timeMs: 60_000 },
    );
    expect(result.error?.code).toBe('backfill-working');
    expect(result.error?.text.what).toContain('the load of the database could not be read');
    expect(await database.query('select count(*)::int as rows from thing where n > 0')).toEqual([
      { rows: 0 },
    ]);
  });
});

describe('a run with too little time left for a batch', () => {
  test('says that it began nothing, and leaves it to the next one', async () => {
    const database = await place.freshDatabase();
    const history = historyOf({
      '0001_create': create,
      '0002_raise': backfill({ ...common, where: sql`n < 100`, set: { n: sql`n + 100` } }),
    });
    const first = await database.up(history, { timeMs: 28_000 });
    expect(first.error?.code).toBe('backfill-working');
    expect(first.error?.text.what).toContain('this run has begun no batch of it');
    expect(first.error?.text.state).toContain('This run changed no row of it');
    expect(await database.query('select count(*)::int as rows from thing where n > 0')).toEqual([
      { rows: 0 },
    ]);
    expect((await database.up(history, { clock: fastClock() })).error).toBeNull();
  });
});
