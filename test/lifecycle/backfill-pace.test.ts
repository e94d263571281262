import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table } from 'forerun';
import { tune, work, type Operator } from '../../lambda/engine/backfill/operate.ts';
import type { RunNote } from '../../lambda/engine/ports.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { historyOf } from '../authoring/history-of.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const ID = '0002_fill';
const create = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table thing (id bigint primary key, n int)');
    await op.execute('insert into thing select g from generate_series(1, 2000) g');
  },
  down: irreversible('a test'),
});

async function enqueued(tuning: { pauseMs: number; batchRows: number; parallel: number }) {
  const database = await place.freshDatabase();
  const migrations = historyOf({
    '0001_create': create,
    [ID]: backfill({
      after: '0001_create',
      table: table('thing', { id: bigint(), n: integer().nullable() }),
      key: 'id',
      where: sql`n is null`,
      set: { n: 1 },
      down: 'nothing to undo',
      ...tuning,
    }),
  });
  await database.up(migrations);
  const operator = operatorOf(migrations);
  return { database, operator };
}

/** One slice of work; the rows of its batches. */
async function slice(database: FreshDatabase, operator: Operator, forMs: number) {
  const sizes: number[] = [];
  const tell = (note: RunNote): void => {
    if (note.note === 'batch') sizes.push(note.rows);
  };
  const worked = await work([ID], operator, Date.now() + forMs, database.ports({ tell }));
  return { sizes, worked };
}

describe('the most rows of a batch', () => {
  test('hold from the first batch of every range', async () => {
    const { database, operator } = await enqueued({ pauseMs: 0, batchRows: 150, parallel: 2 });
    const slower = { mostRows: 60, pauseMs: null, parallel: null };
    await tune(ID, slower, { reason: null, by: null }, operator, database.ports(), postgres);
    const { sizes } = await slice(database, operator, 60_000);
    expect(sizes.reduce((sum, rows) => sum + rows, 0)).toBe(2_000);
    expect(Math.max(...sizes)).toBe(60);
  });
});

describe('a pause that is longer than a slice', () => {
  test('is made across slices, whoever works on them', async () => {
    const { database, operator } = await enqueued({ pauseMs: 60_000, batchRows: 20, parallel: 1 });
    const first = await slice(database, operator, 30_000);
    expect(first.sizes).toEqual([20]);
    expect(first.worked.restMs).toBe(60_000);
    for (const worker of ['w1', 'w2']) {
      const next = await slice(database, { ...operator, worker }, 30_000);
      expect(next.sizes).toEqual([]);
      expect(next.worked.restMs).toBeGreaterThan(30_000);
      expect(next.worked.restMs).toBeLessThanOrEqual(60_000);
    }
    await database.query(`update forerun.backfill_range set stepped_at = stepped_at - interval '1 minute'`);
    expect((await slice(database, operator, 30_000)).sizes).toHaveLength(1);
  });

  test('is as long as it is tuned to meanwhile', async () => {
    const { database, operator } = await enqueued({ pauseMs: 60_000, batchRows: 20, parallel: 1 });
    await slice(database, operator, 30_000);
    const faster = { mostRows: null, pauseMs: 0, parallel: null };
    await tune(ID, faster, { reason: null, by: null }, operator, database.ports(), postgres);
    const { sizes, worked } = await slice(database, operator, 30_000);
    expect(sizes.length).toBeGreaterThan(1);
    expect(worked.restMs).toBeNull();
  });
});
