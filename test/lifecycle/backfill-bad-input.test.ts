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
import { move, work, type Operator } from '../../lambda/engine/backfill/operate.ts';
import { DatabaseFailure } from '../../lambda/engine/database-failure.ts';
import type { Ports, RunNote, Transaction } from '../../lambda/engine/ports.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
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
    await op.execute('insert into thing select g from generate_series(1, 160) g');
  },
  down: irreversible('a test'),
});
const common = {
  after: '0001_create',
  table: rows,
  key: 'id',
  where: sql`n is null`,
  pauseMs: 0,
  batchRows: 10,
  down: 'nothing to undo',
} as const;

/** A backfill that is enqueued over a table of 160 rows. */
async function enqueued(definition: MigrationDefinition) {
  const database = await place.freshDatabase();
  const history = historyOf({ '0001_create': create, [ID]: definition });
  await database.up(history);
  await database.query('update forerun.backfill set most_rows = 10');
  return { database, operator: operatorOf(history) };
}

/** Works until the end; after the first batch something happens to the table, and only then comes the next call. */
async function workWhile(happens: string, database: FreshDatabase, operator: Operator): Promise<void> {
  let pending: Promise<unknown> | null = null;
  const ports = database.ports({
    clock: fastClock(),
    tell(note) {
      if (note.note === 'batch') pending ??= database.query(happens);
    },
  });
  const { database: near } = ports;
  const patient: Ports = {
    ...ports,
    database: {
      ...near,
      async execute(statement, options) {
        await pending;
        return near.execute(statement, options);
      },
      async begin() {
        await pending;
        return near.begin();
      },
    },
  };
  await work([ID], operator, ports.clock.now() + 600_000, patient);
}

const standing = async (database: FreshDatabase) =>
  (await database.query('select state, reason from forerun.backfill'))[0];

const cursorOf = async (database: FreshDatabase): Promise<number> =>
  Number(
    (await database.query('select cursor_key ->> 0 as cursor from forerun.backfill_range'))[0]?.['cursor'],
  );

const forms = {
  set: backfill({ ...common, set: { n: 1 } }),
  transform: backfill({ ...common, transform: () => ({ n: 1 }) }),
  batch: backfill({
    ...common,
    batch: ({ op, rows: chosen }) => op.execute(sql`update thing set n = 1 where ${chosen}`),
  }),
} as const;

describe.each(Object.entries(forms))('while a backfill of the form %s works', (_form, definition) => {
  test('its table is dropped: it has failed and says why', async () => {
    const { database, operator } = await enqueued(definition);
    await workWhile('drop table thing', database, operator);
    expect(await standing(database)).toEqual({ state: 'failed', reason: 'SQLSTATE 42P01' });
    expect(await cursorOf(database)).toBe(10);
  });

  test('its column is renamed: it has failed with a true cursor, and goes on when the name is back', async () => {
    const { database, operator } = await enqueued(definition);
    await workWhile('alter table thing rename column n to other', database, operator);
    expect(await standing(database)).toEqual({ state: 'failed', reason: 'SQLSTATE 42703' });
    const cursor = await cursorOf(database);
    expect(await database.query('select max(id)::int as last from thing where other = 1')).toEqual([
      { last: cursor },
    ]);
    await database.query('alter table thing rename column other to n');
    const ports = database.ports();
    await move(ID, 'retry', { reason: null, by: null }, operator, ports, postgres);
    await work([ID], operator, Date.now() + 60_000, ports);
    expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
      { n: 1, rows: 160 },
    ]);
    expect((await standing(database))?.['state']).toBe('succeeded');
  });
});

describe('while a backfill works', () => {
  test.each([
    ['its column takes another type', 'alter table thing alter column n type boolean using n = 1'],
    ['its key takes another type', 'alter table thing alter column id type text'],
  ])('%s: it has failed, and nothing is half done', async (_what, happens) => {
    const { database, operator } = await enqueued(forms.set);
    await workWhile(happens, database, operator);
    expect(await standing(database)).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/SQLSTATE 42/),
    });
    expect(await cursorOf(database)).toBe(10);
    expect(await database.query('select count(*)::int as done from thing where n is not null')).toEqual([
      { done: 10 },
    ]);
  });

  test('a row for which the change fails stops all ranges, and each row still counts once when it goes on', async () => {
    const { database, operator } = await enqueued(
      backfill({ ...common, parallel: 2, batchRows: 5, set: { n: sql`100 / (id - 3)`, m: sql`m + 1` } }),
    );
    await database.query('update forerun.backfill set most_rows = 1, pause_ms = 200');
    const ports = database.ports({ clock: fastClock() });
    await work([ID], operator, ports.clock.now() + 600_000, ports);
    expect(await standing(database)).toEqual({
      state: 'paused',
      reason: 'SQLSTATE 22012 at thing (id) = (3)',
    });
    const [stopped] = await database.query('select sum(m)::int as done, max(m) as most from thing');
    expect(stopped?.['most']).toBe(1);
    expect(Number(stopped?.['done'])).toBeLessThan(160);
    await database.query('delete from thing where id = 3');
    await move(ID, 'resume', { reason: 'row 3 is gone', by: null }, operator, ports, postgres);
    await work([ID], operator, ports.clock.now() + 600_000, ports);
    expect(await database.query('select m, count(*)::int as rows from thing group by m')).toEqual([
      { m: 1, rows: 159 },
    ]);
    expect((await standing(database))?.['state']).toBe('succeeded');
  });
});

const gone = (): Promise<never> =>
  Promise.reject(new DatabaseFailure({ ran: 'no', kind: 'transaction-gone', message: 'it was ended' }));

test('transactions that are ended one after the other put no row under suspicion: the next worker goes on', async () => {
  const { database, operator } = await enqueued(forms.batch);
  const ports = database.ports({ clock: fastClock() });
  const begin = async (): Promise<Transaction> => ({ ...(await ports.database.begin()), execute: gone });
  const torn = { ...ports, database: { ...ports.database, begin } };
  await expect(work([ID], operator, ports.clock.now() + 3_600_000, torn)).rejects.toThrow('it was ended');
  expect(await standing(database)).toEqual({ state: 'running', reason: null });
  await database.query('update forerun.lease set expires_at = now()');
  await work([ID], operator, ports.clock.now() + 600_000, ports);
  expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
    { n: 1, rows: 160 },
  ]);
});

describe('a backfill that cannot be done', () => {
  test('by transform, because its change leaves its own where true: nothing of it stays', async () => {
    const { database, operator } = await enqueued(
      backfill({ ...common, where: sql`m = 0`, transform: () => ({ n: 1 }) }),
    );
    await work([ID], operator, Date.now() + 60_000, database.ports());
    expect(await standing(database)).toEqual({
      state: 'failed',
      reason: 'the change leaves its own where true',
    });
    expect(await database.query('select count(*)::int as done from thing where n is not null')).toEqual([
      { done: 0 },
    ]);
  });

  test.each([
    [
      'a column that is not declared',
      { x: 1 },
      'transform returned a column "x" that table() does not declare',
    ],
    ['another key', { id: 1000n }, 'transform changes id, which is part of the key'],
    ['a promise', Promise.resolve({ n: 1 }), 'transform must return an object or undefined, and no promise'],
  ])('because its transform returns %s: it has failed at once and says so', async (_what, given, reason) => {
    const { database, operator } = await enqueued(backfill({ ...common, transform: () => given }));
    const waits: RunNote[] = [];
    const tell = (note: RunNote): void => void (note.note === 'waiting' && waits.push(note));
    await work([ID], operator, Date.now() + 60_000, database.ports({ tell }));
    expect(await standing(database)).toEqual({ state: 'failed', reason });
    expect(waits).toEqual([]);
  });

  test('because its transform gives one row a value that does not fit: it pauses there and says which', async () => {
    const { database, operator } = await enqueued(
      backfill({ ...common, transform: ({ id }) => ({ n: id === 57n ? 0.5 : 1 }) }),
    );
    const waits: RunNote[] = [];
    const tell = (note: RunNote): void => void (note.note === 'waiting' && waits.push(note));
    await work([ID], operator, Date.now() + 60_000, database.ports({ tell }));
    expect(await standing(database)).toEqual({
      state: 'paused',
      reason:
        'A value for thing.n (integer) must be a whole number (a bigint beyond 2^53) at thing (id) = (57)',
    });
    expect(waits).toEqual([]);
    expect(await database.query('select count(n)::int as done from thing')).toEqual([{ done: 56 }]);
  });

  test('because its table has child tables, in which its key may be there again', async () => {
    const { database, operator } = await enqueued(forms.transform);
    await database.query('create table heir () inherits (thing); insert into heir values (1)');
    await work([ID], operator, Date.now() + 60_000, database.ports());
    expect(await standing(database)).toEqual({
      state: 'failed',
      reason:
        'thing has child tables that are no partitions of it, and a key that is unique in it may be there again in each of them',
    });
    expect(await database.query('select count(n)::int as done from thing')).toEqual([{ done: 0 }]);
  });

  test('because its table is gone before it begins: it has failed before any batch', async () => {
    const { database, operator } = await enqueued(forms.set);
    await database.query('drop table thing');
    await work([ID], operator, Date.now() + 60_000, database.ports());
    expect(await standing(database)).toEqual({ state: 'failed', reason: 'there is no table thing' });
    expect(await database.query('select * from forerun.backfill_range')).toEqual([]);
  });
});
