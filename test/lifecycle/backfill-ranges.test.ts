import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  backfill,
  bigint,
  integer,
  irreversible,
  migration,
  sql,
  table,
  text,
  timestamptz,
  uuid,
  type MigrationDefinition,
} from 'forerun';
import { backfills, tune, work } from '../../lambda/engine/backfill/operate.ts';
import { largestRange, type Largest } from '../../lambda/engine/backfill/postgres-split.ts';
import { takeRange } from '../../lambda/engine/backfill/postgres-take.ts';
import { findKey } from '../../lambda/engine/backfill/prepare.ts';
import type { Migration } from '../../lambda/engine/migration.ts';
import type { Ports, RunNote } from '../../lambda/engine/ports.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { historyOf } from '../authoring/history-of.ts';
import { adversaryOf, splittingBefore } from './range-adversary.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const ID = '0002_fill';
type Batch = Extract<RunNote, { note: 'batch' }>;

const rows = table('thing', { id: bigint(), n: integer(), mark: text().nullable() });

const create = (statements: readonly string[]): MigrationDefinition =>
  migration({
    after: 'base',
    async up({ op }) {
      for (const statement of statements) await op.execute(statement);
    },
    down: irreversible('a test'),
  });

const many = (count: number): MigrationDefinition =>
  create([
    'create table thing (id bigint primary key, n int not null default 0, mark text)',
    `insert into thing select g from generate_series(1, ${count}) g`,
  ]);

const common = {
  after: '0001_create',
  table: rows,
  key: 'id',
  pauseMs: 0,
  batchRows: 4,
  down: 'nothing to undo',
} as const;

/** A change that leaves no trace: a row that was changed twice, or never, shows. */
const count = backfill({ ...common, frozen: true, set: { n: sql`n + 1` } });

/** Enqueued, and not yet begun. */
async function enqueued(
  definitions: Readonly<Record<string, MigrationDefinition>>,
): Promise<{ readonly database: FreshDatabase; readonly history: readonly Migration[] }> {
  const database = await place.freshDatabase();
  const history = historyOf(definitions);
  await database.up(history);
  return { database, history };
}

const counted = (database: FreshDatabase): Promise<readonly Record<string, unknown>[]> =>
  database.query('select n, count(*)::int as rows from thing group by n order by n');

/** Every key between base and end is in one range and one only, and all of them are done. */
async function expectSeamless(database: FreshDatabase): Promise<number> {
  const ranges = await database.query(
    'select lower_key::text as lower, upper_key::text as upper, ended from forerun.backfill_range',
  );
  const next = new Map(ranges.map(({ lower, upper }) => [lower, upper]));
  expect(next.size).toBe(ranges.length);
  let walked = 0;
  for (let at: unknown = null; ; walked += 1) {
    expect(next.has(at)).toBe(true);
    at = next.get(at);
    if (at === null) break;
  }
  expect(walked + 1).toBe(ranges.length);
  expect(ranges.every(({ ended }) => ended === true)).toBe(true);
  return ranges.length;
}

describe('a backfill with one range', () => {
  test('is worked on in parallel when it is tuned to, and each row is changed once', async () => {
    const { database, history } = await enqueued({ '0001_create': many(1_500), [ID]: count });
    const operator = operatorOf(history, 'one');
    const at = new Set<number>();
    const tuned: Promise<unknown>[] = [];
    const ports = database.ports({
      tell(note) {
        if (note.note !== 'batch') return;
        at.add(note.range);
        if (tuned.length > 0) return;
        const faster = { mostRows: 4, pauseMs: 0, parallel: 3 };
        tuned.push(tune(ID, faster, NOBODY, operator, ports, postgres));
      },
    });
    await work([ID], operator, Date.now() + 60_000, ports);
    await Promise.all(tuned);
    expect(await counted(database)).toEqual([{ n: 1, rows: 1_500 }]);
    expect(at.size).toBeGreaterThanOrEqual(3);
    expect(await expectSeamless(database)).toBe(at.size);
    expect(await database.query(`select state from forerun.backfill`)).toEqual([{ state: 'succeeded' }]);
    expect(await database.query(`select name from forerun.lease where name <> 'run'`)).toEqual([]);
  });

  test('is shared by workers of one lane each, never more than it may have at a time', async () => {
    const { database, history } = await enqueued({ '0001_create': many(1_200), [ID]: count });
    await database.query('update forerun.backfill set parallel = 2, most_rows = 4');
    // Ranges as one worker would have made them.
    await database.query(`create or replace view holders as
      select count(*)::int as held from forerun.lease where holder is not null and name <> 'run'`);
    const held: Promise<number>[] = [];
    let batches = 0;
    const workers = [1, 2, 3].map((number) =>
      work(
        [ID],
        { ...operatorOf(history, `worker ${number}`), lanes: 1 },
        Date.now() + 60_000,
        database.ports({
          tell(note) {
            if (note.note !== 'batch') return;
            batches += 1;
            // Now and then from beginning to end: one of them may be far ahead before the others have a lane.
            if (batches % 8 > 0) return;
            held.push(database.query('select held from holders').then(([row]) => Number(row?.['held'])));
          },
        }),
      ),
    );
    await Promise.all(workers);
    expect(await counted(database)).toEqual([{ n: 1, rows: 1_200 }]);
    expect(Math.max(...(await Promise.all(held)))).toBe(2);
    await expectSeamless(database);
  });

  test('gives no more ranges than it may to those who bid at the same moment', async () => {
    const database = await prepared(1_200, 2);
    for (let round = 1; round <= 10; round++) {
      await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((worker) => bid(worker, database)));
      expect(
        await database.query(`select count(*)::int as held from forerun.lease where holder is not null`),
      ).toEqual([{ held: 2 }]);
      await database.query('update forerun.lease set holder = null, expires_at = null');
    }
  });

  test('keeps no bid waiting behind a split', async () => {
    const database = await prepared(100, 1);
    const splitting = await database.connect();
    await splitting.query('begin; select from forerun.backfill for update');
    expect((await bid('a', database)).rows).toMatchObject([{ answer: { range: null, outbid: true } }]);
    await splitting.query('commit');
    await splitting.end();
    expect((await bid('a', database)).rows).toMatchObject([{ answer: { range: 1, outbid: false } }]);
  });

  test('is not split for ever: with little left in it, it is left to its holder', async () => {
    const { database, history } = await enqueued({ '0001_create': many(100), [ID]: count });
    await database.query('update forerun.backfill set most_rows = 4');
    const ports = database.ports();
    const seen: unknown[] = [];
    const looking: Ports = {
      ...ports,
      database: {
        ...ports.database,
        async execute(statement, options) {
          if (statement.sql.includes('forerun_done')) seen.push(await largest(history, ports));
          return ports.database.execute(statement, options);
        },
      },
    };
    await work([ID], operatorOf(history, 'one'), Date.now() + 60_000, looking);
    expect(seen.filter((one) => one !== null).length).toBeGreaterThan(0);
    // Eight batches of four rows: the last looks find less.
    expect(seen.slice(-6)).toEqual([null, null, null, null, null, null]);
  });
});

/** With its ranges, on none of which anybody has worked. */
async function prepared(rowCount: number, parallel: number): Promise<FreshDatabase> {
  const { database, history } = await enqueued({ '0001_create': many(rowCount), [ID]: count });
  await database.query(`update forerun.backfill set parallel = ${parallel}`);
  // Time for the ranges to be made, and none to work on them.
  await work([ID], operatorOf(history, 'first'), Date.now() - 1, database.ports());
  return database;
}

const bid = (worker: string, database: FreshDatabase) =>
  database
    .ports()
    .database.execute(
      takeRange({ history: 'default', backfill: ID, checksum: `v1:${ID}`, worker, leaseMs: 60_000 }),
      { rows: true },
    );

const NOBODY = { reason: null, by: null };

async function largest(history: readonly Migration[], ports: Ports): Promise<Largest | null> {
  const spec = history.find(({ id }) => id === ID)?.backfill;
  if (spec === undefined) throw new Missing();
  const found = await findKey(spec, { ports });
  if (!('key' in found)) throw new Missing();
  const statement = largestRange({ history: 'default', backfill: ID }, spec, found.key);
  const answer = (await ports.database.execute(statement, { rows: true })).rows[0]?.['answer'];
  return (answer ?? null) as Largest | null;
}

class Missing extends Error {
  override readonly name = 'Missing';
}

const archive = table('archive', { thing: bigint(), label: text() });
const nothingMarked = sql`mark is null`;

describe('a split between any two calls of a worker', () => {
  test.each([
    ['set', count, 'n = 1'],
    [
      'set over rows that extinguish their where',
      backfill({ ...common, where: nothingMarked, set: { n: sql`n + 1`, mark: 'x' } }),
      'n = 1',
    ],
    [
      'transform',
      backfill({
        ...common,
        where: nothingMarked,
        transform: ({ n }) => ({ n: n + 1, mark: 'x' }),
      }),
      'n = 1',
    ],
    [
      'batch',
      backfill({
        ...common,
        where: nothingMarked,
        batch: ({ op, rows: chosen }) =>
          op.execute(sql`update thing set n = n + 1, mark = 'x' where ${chosen}`),
      }),
      'n = 1',
    ],
    [
      'insertFrom',
      backfill({
        ...common,
        where: sql`true`,
        frozen: true,
        insertFrom: { into: archive, columns: { thing: 'id', label: sql`mark` } },
      }),
      '1 = (select count(*) from archive a where a.thing = id)',
    ],
  ] as const)('leaves each row changed once: %s', async (_form, definition, once) => {
    const tables = create([
      'create table thing (id bigint primary key, n int not null default 0, mark text)',
      'insert into thing select g * 7 from generate_series(1, 120) g',
      // Not unique: a row that is copied twice shows.
      'create table archive (thing bigint, label text)',
    ]);
    const { database, history } = await enqueued({ '0001_create': tables, [ID]: definition });
    await database.query('update forerun.backfill set most_rows = 4');
    const adversary = adversaryOf(ID, history, database, ['id']);
    const pending: Promise<void>[] = [];
    const ports = splittingBefore(database.ports(), adversary, pending);
    await work([ID], operatorOf(history, 'one'), Date.now() + 60_000, ports);
    await Promise.all(pending);
    expect(
      await database.query(
        `select count(*) filter (where ${once})::int as once, count(*)::int as rows from thing`,
      ),
    ).toEqual([{ once: 120, rows: 120 }]);
    expect(adversary.made()).toBeGreaterThan(3);
    expect(await expectSeamless(database)).toBe(1 + adversary.made());
    expect(await database.query('select sum(scanned)::int as scanned from forerun.backfill_range')).toEqual([
      { scanned: 120 },
    ]);
  });
});

describe('the place of a split', () => {
  const once = { frozen: true, set: { n: sql`n + 1` } } as const;
  const texts = table('thing', { id: text(), n: integer() });
  const uuids = table('thing', { id: uuid(), n: integer() });
  const moments = table('thing', { at: timestamptz(), id: bigint(), n: integer() });
  test.each([
    {
      what: 'a text in an order of its own',
      key: ['id'],
      columns: 'id text collate "C" primary key, n int not null default 0',
      fill: `select (array['a','B','c','D','ä','Z'])[1 + g % 6] || g, 0 from generate_series(1, 120) g`,
      definition: backfill({ ...common, ...once, table: texts, key: 'id' }),
    },
    {
      what: 'a uuid',
      key: ['id'],
      columns: 'id uuid primary key, n int not null default 0',
      fill: 'select gen_random_uuid(), 0 from generate_series(1, 120) g',
      definition: backfill({ ...common, ...once, table: uuids, key: 'id' }),
    },
    {
      what: 'a moment and a number',
      key: ['at', 'id'],
      columns: 'at timestamptz, id bigint, n int not null default 0, primary key (at, id)',
      fill: `select timestamptz '2026-03-29 00:30:00.000001+00' + (g / 40) * interval '1 microsecond', g, 0 from generate_series(1, 120) g`,
      definition: backfill({ ...common, ...once, table: moments, key: ['at', 'id'] }),
    },
  ])('is a real key, whatever it is: $what', async ({ key, columns, fill, definition }) => {
    const tables = create([`create table thing (${columns})`, `insert into thing ${fill}`]);
    const { database, history } = await enqueued({ '0001_create': tables, [ID]: definition });
    await database.query('update forerun.backfill set most_rows = 4');
    const adversary = adversaryOf(ID, history, database, key);
    const ports = splittingBefore(database.ports(), adversary, []);
    await work([ID], operatorOf(history, 'one'), Date.now() + 60_000, ports);
    expect(await counted(database)).toEqual([{ n: 1, rows: 120 }]);
    expect(adversary.made()).toBeGreaterThan(3);
    expect(await expectSeamless(database)).toBe(1 + adversary.made());
  });
});

describe('a sweep', () => {
  test('is split too, and both halves wait for what the whole waited for', async () => {
    const definition = backfill({ ...common, where: nothingMarked, set: { n: sql`n + 1`, mark: 'x' } });
    const { database, history } = await enqueued({ '0001_create': many(300), [ID]: definition });
    await database.query('update forerun.backfill set most_rows = 4');
    const other = await database.connect();
    await other.query('begin; insert into thing values (0), (1000)');
    const adversary = adversaryOf(ID, history, database, ['id']);
    const split: Promise<void>[] = [];
    const batches: Batch[] = [];
    await work(
      [ID],
      operatorOf(history, 'one'),
      Date.now() + 60_000,
      database.ports({
        tell(note) {
          if (note.note === 'batch') batches.push(note);
          if (note.note !== 'waiting' || split.length > 0) return;
          split.push(adversary.split().then(() => void other.query('commit')));
        },
      }),
    );
    await Promise.all(split);
    await other.end();
    expect(await counted(database)).toEqual([{ n: 1, rows: 302 }]);
    expect(await expectSeamless(database)).toBe(2);
    expect(new Set(batches.map(({ range }) => range)).size).toBe(2);
  });
});

describe('how a backfill went', () => {
  test('is kept for the whole way in few points, with nothing left out', async () => {
    const { database, history } = await enqueued({ '0001_create': many(1_000), [ID]: count });
    await database.query('update forerun.backfill set most_rows = 4');
    const operator = operatorOf(history, 'one');
    const ports = database.ports();
    await work([ID], operator, Date.now() + 60_000, ports);
    const [range] = await database.query(
      'select batches::int, jsonb_array_length(pace) as points from forerun.backfill_range',
    );
    expect(range?.['batches']).toBe(251);
    expect(Number(range?.['points'])).toBeLessThanOrEqual(48);
    const [kept] = await database.query(
      'select sum((p ->> 1)::int)::int as batches, sum((p ->> 2)::int)::int as rows from forerun.backfill_range, jsonb_array_elements(pace) p',
    );
    expect(kept).toEqual({ batches: 251, rows: 1_000 });
    expect((await backfills('default', ports, postgres)).backfills[0]).not.toHaveProperty('batches');
  });
});
