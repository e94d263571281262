import { afterAll, beforeAll, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table, text } from 'forerun';
import { tellTrial } from '../../cli/runner/tell-backfills.ts';
import { ownBackfill } from '../../lambda/engine/backfill/operate.ts';
import { tryBatch, type Trial } from '../../lambda/engine/backfill/trial.ts';
import { ForerunError } from '../../lambda/engine/errors.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../../lambda/engine/limits.ts';
import { historyOf } from '../authoring/history-of.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const create = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table thing (id bigint primary key, n int, mark text)');
    await op.execute('insert into thing select g from generate_series(1, 500) g');
    await op.execute(
      `create table archive (nr bigint generated always as identity, thing bigint primary key, label text, kept boolean default true)`,
    );
  },
  down: irreversible('a test'),
});
const common = {
  after: '0001_create',
  table: table('thing', { id: bigint(), n: integer().nullable(), mark: text().nullable() }),
  key: 'id',
  where: sql`n is null`,
  batchRows: 500,
  lockTimeoutMs: 100,
  down: 'nothing to undo',
} as const;

type Module = Parameters<typeof historyOf>[0][string];

async function dryRun(
  database: FreshDatabase,
  tried: Module,
  limits: RunLimits = DEFAULT_LIMITS,
): Promise<Trial> {
  const migrations = historyOf({ '0001_create': create, '0002_tried': tried });
  const operator = { history: 'default', migrations, worker: 'w', limits };
  const { backfill: written } = ownBackfill('0002_tried', operator);
  const where = { history: 'default', backfill: '0002_tried' };
  return tryBatch(where, written, limits, database.ports());
}

async function prepared(): Promise<FreshDatabase> {
  const database = await place.freshDatabase();
  await database.up(historyOf({ '0001_create': create }));
  return database;
}

const refusalOf = (trial: Promise<unknown>): Promise<unknown> =>
  trial.then(
    () => null,
    (cause: unknown) => (cause instanceof ForerunError ? cause.text : cause),
  );

test.each([
  ['set', backfill({ ...common, set: { n: 1 } })],
  [
    'batch',
    backfill({ ...common, batch: ({ op, rows }) => op.execute(sql`update thing set n = 1 where ${rows}`) }),
  ],
])(
  'a dry run of %s waits for a lock no longer than a batch would, and lets go of its own',
  async (_form, tried) => {
    const database = await prepared();
    const other = await database.connect();
    try {
      await other.query('begin; update thing set n = 2 where id = 400');
      expect(await refusalOf(dryRun(database, tried))).toEqual({
        what: 'A batch of 0002_tried would wait for a lock that another session holds. The dry run gave up after 0.1 s, so that nobody waits behind it.',
        state: 'The database was not touched.',
        next: 'Try it again in a while; the view pg_locks shows who holds what. The backfill itself tries such a batch again.',
      });
      // What the batch had locked before it met that row is free.
      await database.query(`set lock_timeout = '2s'; update thing set n = 3 where id = 1`);
    } finally {
      await other.end();
    }
  },
);

test('a dry run of a batch that is too slow is given up in words that say so', async () => {
  const database = await prepared();
  const tried = backfill({
    ...common,
    set: { n: sql`cast(length(cast(pg_sleep(0.05) as text)) as integer)` },
  });
  const limits = { ...DEFAULT_LIMITS, statementTimeoutMs: 300 };
  expect(await refusalOf(dryRun(database, tried, limits))).toMatchObject({
    what: 'A batch of 0002_tried takes longer than 0.3 s. The dry run gave it up, so that nobody waits behind it.',
  });
});

test('a dry run of insertFrom shows the rows that would be new', async () => {
  const database = await prepared();
  await database.query(`insert into archive (thing, label) values (2, 'there already')`);
  const archive = table('archive', { thing: bigint(), label: text() });
  const tried = backfill({
    ...common,
    insertFrom: { into: archive, columns: { thing: 'id', label: sql`'no. ' || id` } },
  });
  const trial = await dryRun(database, tried);
  expect(trial.changed).toBe(499);
  expect(trial.rows).toHaveLength(5);
  expect(trial.rows[0]).toEqual({
    before: null,
    after: { nr: expect.any(Number), thing: 1, label: 'no. 1', kept: true },
  });
  expect(trial.rows.map(({ after }) => after)).not.toContainEqual(expect.objectContaining({ thing: 2 }));
  expect(tellTrial(trial)[2]).toMatch(/^ {2}new {5}\{.*"label":"no\. 1".*\}$/);
  expect(await database.query('select count(*)::int from archive')).toEqual([{ count: 1 }]);
  await database.query('delete from thing');
  expect(await dryRun(database, tried)).toMatchObject({ changed: 0, rows: [] });
});
