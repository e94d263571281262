import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table } from 'forerun';
import { move, work } from '../../lambda/engine/backfill/operate.ts';
import type { Ports, Session } from '../../lambda/engine/ports.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const ID = '0002_fill';
const things = table('thing', { id: bigint(), n: integer().nullable(), m: integer() });
const history = historyOf({
  '0001_create': migration({
    after: 'base',
    async up({ op }) {
      await op.execute('create table thing (id bigint primary key, n int, m int not null default 0)');
      await op.execute('insert into thing select g from generate_series(1, 100) g');
    },
    down: irreversible('a test'),
  }),
  [ID]: backfill({
    after: '0001_create',
    table: things,
    key: 'id',
    where: sql`n is null`,
    transform: ({ id, m }) => ({ n: Number(id) + m }),
    pauseMs: 0,
    batchRows: 40,
    down: 'nothing to undo',
  }),
});
const operator = operatorOf(history);

async function enqueued(): Promise<FreshDatabase> {
  const database = await place.freshDatabase();
  await database.up(history);
  return database;
}

/** Before each write of the backfill something else happens. */
function meanwhile(ports: Ports, happens: () => Promise<unknown>): Ports {
  const { database } = ports;
  const wrapped = (session: Session): Session => ({
    async execute(statement, options) {
      if (statement.sql.includes('forerun_sent')) await happens();
      return session.execute(statement, options);
    },
  });
  return {
    ...ports,
    database: {
      ...database,
      ...wrapped(database),
      async begin() {
        const transaction = await database.begin();
        return { ...transaction, ...wrapped(transaction) };
      },
    },
  };
}

const standing = async (database: FreshDatabase) =>
  (await database.query('select state, reason from forerun.backfill'))[0];

describe('a row of a transform that loses again and again', () => {
  test('because the app writes it all the time is locked in the end, and done right', async () => {
    const database = await enqueued();
    const app = await database.connect();
    await app.query(`set lock_timeout = '20ms'`);
    let writes = 0;
    const ports = meanwhile(database.ports({ clock: fastClock() }), async () => {
      const written = await app.query('update thing set m = m + 1 where id = 50').catch(() => null);
      writes += written?.rowCount ?? 0;
    });
    await work([ID], operator, ports.clock.now() + 60_000, ports);
    await app.end();
    expect(await standing(database)).toEqual({ state: 'succeeded', reason: null });
    expect(writes).toBeGreaterThan(3);
    expect(await database.query('select count(*)::int as done from thing where n >= id')).toEqual([
      { done: 100 },
    ]);
  });

  test('because a trigger keeps it as it is pauses with its key, and goes on without the trigger', async () => {
    const database = await enqueued();
    await database.query(`create function keep() returns trigger language plpgsql as 'begin return null; end';
      create trigger keep before update on thing for each row when (old.id % 10 = 0) execute function keep()`);
    const ports = database.ports({ clock: fastClock() });
    await work([ID], operator, ports.clock.now() + 60_000, ports);
    expect(await standing(database)).toEqual({
      state: 'paused',
      reason:
        'something (a trigger, a rule or a policy) keeps the row from being changed at thing (id) = (10)',
    });
    await database.query('drop trigger keep on thing');
    await move(ID, 'resume', { reason: null, by: null }, operator, ports, postgres);
    await work([ID], operator, ports.clock.now() + 60_000, ports);
    expect(await standing(database)).toEqual({ state: 'succeeded', reason: null });
    expect(await database.query('select count(*)::int as done from thing where n = id')).toEqual([
      { done: 100 },
    ]);
  });
});
