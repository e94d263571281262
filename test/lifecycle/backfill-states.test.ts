import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table } from 'forerun';
import { backfills, move, oneBackfill, tune, work } from '../../lambda/engine/backfill/operate.ts';
import { enqueueBackfill, moveBackfill } from '../../lambda/engine/backfill/postgres-state.ts';
import { EDGES, type BackfillState, type Edge } from '../../lambda/engine/backfill/states.ts';
import { ForerunError } from '../../lambda/engine/errors.ts';
import type { Ports } from '../../lambda/engine/ports.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const ID = '0002_fill';
const HERE = { history: 'default', backfill: ID };
const rows = table('thing', { id: bigint(), n: integer().nullable() });
const history = historyOf({
  '0001_create': migration({
    after: 'base',
    async up({ op }) {
      await op.execute('create table thing (id bigint primary key, n int)');
      await op.execute('insert into thing select g from generate_series(1, 60) g');
    },
    down: irreversible('a test'),
  }),
  [ID]: backfill({
    after: '0001_create',
    table: rows,
    key: 'id',
    where: sql`n is null`,
    set: { n: sql`100 / (id - 41)` },
    pauseMs: 0,
    batchRows: 10,
    down: 'nothing to undo',
  }),
});
const operator = operatorOf(history);
const PERSONS = ['pause', 'resume', 'cancel', 'retry'] as const;
type Person = (typeof PERSONS)[number];
const isPersons = (by: string): by is Person => (PERSONS as readonly string[]).includes(by);
const ME = { reason: 'rows are locked by the nightly job', by: 'anna, on call' };

async function at(state: BackfillState): Promise<FreshDatabase> {
  const database = await place.freshDatabase();
  await database.up(history);
  await database.query(`update forerun.backfill set state = '${state}'; delete from forerun.backfill_event`);
  return database;
}

/** Takes the edge as it is taken in earnest. */
async function take({ by, to }: Edge, database: FreshDatabase, ports: Ports): Promise<void> {
  if (isPersons(by)) {
    await move(ID, by, ME, operator, ports, postgres);
  } else if (by === 'work') {
    // A key that the change cannot be done for would pause it on its way.
    await database.query('delete from thing where id = 41');
    await work([ID], operator, Date.now() + 30_000, ports);
  } else if (by === 'trouble') {
    const statement = moveBackfill({ ...HERE, move: by, to, reason: 'SQLSTATE 22012 at …', by: 'w1' });
    await ports.database.execute(statement, { rows: true });
  } else {
    const again = { ...HERE, checksum: `v2:${ID}`, hold: false, frozen: false, pauseMs: 0, parallel: 1 };
    await ports.database.execute(enqueueBackfill(again), { rows: false });
  }
}

describe('every edge of the states', () => {
  test.each(EDGES.map((edge) => [edge.from, edge.by, edge.to, edge] as const))(
    'leads from %s by %s to %s, and leaves a line about it',
    async (from, by, to, edge) => {
      const database = await at(from);
      const ports = database.ports();
      await take(edge, database, ports);
      const shown = await oneBackfill(ID, operator, ports, postgres);
      const line = shown.events.find((event) => event.from === from && event.to === to);
      const told = isPersons(by) ? ME : by === 'work' ? { by: 'w1' } : {};
      expect(line).toMatchObject({ move: by, ...told });
      expect(Date.parse(line?.at ?? '')).toBeGreaterThan(Date.now() - 60_000);
      expect(shown.state).toBe(by === 'work' ? 'succeeded' : to);
    },
  );

  const closed = PERSONS.flatMap((by) =>
    (['enqueued', 'running', 'paused', 'failed', 'cancelled', 'succeeded'] as const)
      .filter((from) => !EDGES.some((edge) => edge.by === by && (edge.from === from || edge.to === from)))
      .map((from) => [by, from] as const),
  );
  test.each(closed)('%s leads nowhere from %s, and changes nothing', async (by, from) => {
    const database = await at(from);
    const ports = database.ports();
    await expect(move(ID, by, ME, operator, ports, postgres)).rejects.toBeInstanceOf(ForerunError);
    const shown = await oneBackfill(ID, operator, ports, postgres);
    expect(shown).toMatchObject({ state: from, events: [] });
  });
});

describe('who did what, when and why', () => {
  test('is kept of persons in their own words, and of a worker with the SQLSTATE and the key', async () => {
    const database = await place.freshDatabase();
    await database.up(history);
    const ports = database.ports({ clock: fastClock() });
    const tuned = { mostRows: 5, pauseMs: null, parallel: null };
    await tune(ID, tuned, { reason: 'slow, please', by: 'anna' }, operator, ports, postgres);
    // The same again changes nothing, so there is nothing to tell.
    await tune(ID, tuned, { reason: 'slow, please', by: 'anna' }, operator, ports, postgres);
    await work([ID], operator, ports.clock.now() + 600_000, ports);
    await move(ID, 'resume', { reason: null, by: null }, operator, ports, postgres);
    await move(ID, 'cancel', { reason: null, by: 'ben' }, operator, ports, postgres);
    const shown = await oneBackfill(ID, operator, ports, postgres);
    const told = shown.events.toReversed().map(({ at: _at, ...event }) => event);
    const none = { reason: null, by: null, settings: null };
    const trouble = 'SQLSTATE 22012 at thing (id) = (41)';
    expect(told).toEqual([
      { ...none, move: 'deploy', from: null, to: 'enqueued' },
      {
        move: 'tune',
        from: 'enqueued',
        to: 'enqueued',
        reason: 'slow, please',
        by: 'anna',
        settings: { mostRows: 5, pauseMs: 0, parallel: 1 },
      },
      { ...none, move: 'work', from: 'enqueued', to: 'running', by: 'w1' },
      { ...none, move: 'trouble', from: 'running', to: 'paused', reason: trouble, by: 'w1' },
      { ...none, move: 'resume', from: 'paused', to: 'enqueued' },
      {
        ...none,
        move: 'cancel',
        from: 'enqueued',
        to: 'cancelled',
        reason: 'a person asked for "cancel"',
        by: 'ben',
      },
    ]);
    const {
      backfills: [listed],
    } = await backfills('default', ports, postgres);
    expect(listed?.events).toEqual(shown.events.slice(0, 3));
    expect(listed).not.toHaveProperty('batches');
    const rowsSeen = shown.batches?.reduce((sum, { rows: seen }) => sum + seen, 0);
    expect(rowsSeen).toBe(40);
  });
});
