import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table } from 'forerun';
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
    await op.execute('insert into thing select g from generate_series(1, 120) g');
    await op.execute(
      `create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(1); return new; end'`,
    );
  },
  down: irreversible('a test'),
});

const common = {
  after: '0001_create',
  table: things,
  key: 'id',
  where: sql`n < 100`,
  hold: true,
  pauseMs: 0,
  batchRows: 20,
  down: 'nothing to undo',
} as const;

describe('a batch that suddenly turns slow', () => {
  test.each([
    ['set', { set: { n: sql`n + 100` } }, 'create trigger slow before update on thing for each row when (new.id % 40 = 0) execute function slow()'],
    ['transform, at the reading', { transform: ({ n }: { n: number }) => ({ n: n + 100 }) }, 'select 1'],
  ])(
    'of the form %s is stopped by the database in its only call, and made smaller',
    async (_form, form, slowly) => {
      const database = await place.freshDatabase();
      const sizes: number[] = [];
      let happened: Promise<unknown> | null = null;
      const stopped: string[] = [];
      const history = historyOf({ '0001_create': create, '0002_raise': backfill({ ...common, ...form } as never) });
      const result = await database.up(history, {
        clock: fastClock(),
        limits: { ...DEFAULT_LIMITS, statementTimeoutMs: 1_500 },
        tell: (note) => {
          if (note.note !== 'batch') return;
          sizes.push(note.rows);
          if (sizes.length === 2) happened = database.query(slowly);
        },
      });
      await happened;
      expect(result.error).toBeNull();
      expect(stopped).toEqual([]);
      expect(await database.query('select n, count(*)::int as rows from thing group by n')).toEqual([
        { n: 100, rows: 120 },
      ]);
      expect(sizes).toEqual([]);
    },
  );
});
