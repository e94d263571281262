import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table } from 'forerun';
import {
  backfills,
  oneBackfill,
  openIds,
  work,
  type BackfillData,
} from '../../lambda/engine/backfill/operate.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { answerOnBackfills } from '../../lambda/runner-backfill.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const rows = table('thing', { id: bigint(), n: integer().nullable() });
const modules = {
  '0001_create': migration({
    after: 'base',
    async up({ op }) {
      await op.execute('create table thing (id bigint primary key, n int)');
      await op.execute('insert into thing select g from generate_series(1, 40) g');
    },
    down: irreversible('a test'),
  }),
  '0002_fill': backfill({
    after: '0001_create',
    table: rows,
    key: 'id',
    where: sql`n is null`,
    set: { n: 1 },
    pauseMs: 0,
    down: 'nothing to undo',
  }),
};
const history = historyOf(modules);
const operator = operatorOf(history, 'w');

/** Twelve samples, the last of them so many seconds ago: a thousand rows a second. */
const samples = (secondsAgo: number): string =>
  `(select jsonb_agg(jsonb_build_array(floor(1000 * extract(epoch from now())) - 1000 * (${secondsAgo} + 60 - 5 * s), 5000 * s) order by s)
    from generate_series(1, 12) s)`;

const KEY = 'k'.repeat(300);

/** Backfills as their rows look after the work, with so many ranges each. */
async function journal(
  database: FreshDatabase,
  { state, count, ranges, prefix }: { state: string; count: number; ranges: number; prefix: string },
): Promise<void> {
  const id = `'${prefix}' || lpad(cast(b as text), 4, '0')`;
  await database.query(`
    insert into forerun.backfill (history, id, checksum, state, hold, pause_ms, parallel, total, reason, enqueued_at, prepared_at, started_at, finished_at)
    select 'default', ${id}, 'c', '${state}', false, 10, 4, 1000000, 'SQLSTATE 22012 at thing (id) = (41)',
      now() - interval '1 day' + b * interval '1 second', now(), now(), now() + b * interval '1 second'
    from generate_series(1, ${count}) b;
    insert into forerun.backfill_range (history, backfill, number, lower_key, cursor_key, upper_key, ended, scanned, changed, batches, batch_rows, recent, pace)
    select 'default', ${id}, r, '["4711"]', '["4711"]', '["4711"]', '${state}' = 'succeeded', 1000, 900, 48, 500,
      ${samples(0)}, '[]'
    from generate_series(1, ${count}) b, generate_series(1, ${ranges}) r;
    insert into forerun.backfill_event (history, backfill, move, from_state, to_state, by)
    select 'default', ${id}, 'work', 'running', 'succeeded', 'worker/1' from generate_series(1, ${count}) b, generate_series(1, 4)`);
}

describe('however many backfills there are', () => {
  test('a thousand that are done are listed in part, and neither work nor deploy is in need of them', async () => {
    const database = await place.freshDatabase();
    await database.up(history);
    await journal(database, { state: 'succeeded', count: 1_000, ranges: 16, prefix: '9' });
    const ports = database.ports();
    const list = await backfills('default', ports, postgres);
    expect(list.backfills).toHaveLength(50);
    expect(list.more).toBe(951);
    // An open one comes before all that are done, and of these the newest.
    expect(list.backfills[0]).toMatchObject({ id: '0002_fill', state: 'enqueued' });
    expect(list.backfills[1]).toMatchObject({
      id: '91000',
      rangeCount: 16,
      rangesEnded: 16,
      scanned: 16_000,
    });
    expect(list.backfills[1]?.ranges).toEqual([]);
    expect(await openIds('default', ports, postgres)).toEqual(['0002_fill']);
    const deadlineMs = Date.now() + 120_000;
    const worked = await answerOnBackfills(
      { action: 'backfill', dryRun: false },
      operator,
      deadlineMs,
      ports,
    );
    expect(worked).toMatchObject({ ok: true, backfills: [{ id: '0002_fill', state: 'succeeded' }], more: 0 });
    expect(await database.up(history)).toMatchObject({ error: null });
  });

  test('a thousand that were given up keep no deploy from reading the journal', async () => {
    const database = await place.freshDatabase();
    await database.up(history);
    await journal(database, { state: 'cancelled', count: 1_000, ranges: 16, prefix: '9' });
    expect(await database.up(history)).toMatchObject({ error: null });
    const { backfills: shown, more } = await backfills('default', database.ports(), postgres);
    expect(shown).toHaveLength(50);
    expect(more).toBe(951);
  });

  test('a thousand that are open or have stopped can be listed and counted', async () => {
    const database = await place.freshDatabase();
    await database.up(history);
    await journal(database, { state: 'running', count: 500, ranges: 16, prefix: '8' });
    await journal(database, { state: 'paused', count: 500, ranges: 16, prefix: '9' });
    const ports = database.ports();
    const list = await backfills('default', ports, postgres);
    expect(list).toMatchObject({ more: 951, stopped: 500 });
    expect(new Set(list.backfills.map(({ state }) => state))).toEqual(new Set(['paused']));
    expect(await openIds('default', ports, postgres)).toHaveLength(501);
    expect(await database.up(history)).toMatchObject({ error: null });
  });
});

test('one of five hundred ranges is listed, shown in detail and read by a deploy', async () => {
  const database = await place.freshDatabase();
  await database.up(history);
  await journal(database, { state: 'running', count: 1, ranges: 500, prefix: '9' });
  await database.query(`update forerun.backfill_range r set ended = number > 450,
    lower_key = '["${KEY}"]', cursor_key = '["${KEY}"]', upper_key = '["${KEY}"]',
    pace = (select jsonb_agg(jsonb_build_array(1795000000000 + r.number * 100000 + 2000 * p, 1, 500, 480) order by p) from generate_series(1, 48) p)`);
  await database.query(`insert into forerun.lease (history, name, token, revision, holder, expires_at)
    select 'default', 'backfill:90001:' || n, 1, 1, 'w/' || n, now() + n * interval '1 minute' from unnest(array[-1, 7, 9]) n where n > 0
    union all select 'default', 'backfill:90001:11', 1, 1, 'dead', now() - interval '1 minute'`);
  const ports = database.ports();
  const {
    backfills: [listed],
  } = await backfills('default', ports, postgres, ['90001']);
  expect(listed).toMatchObject({
    rangeCount: 500,
    rangesEnded: 50,
    rangesHeld: 2,
    scanned: 500_000,
    changed: 450_000,
    rowsPerSecond: 450_000,
    waits: false,
  });
  expect(listed?.ranges.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 9]);
  expect(listed).not.toHaveProperty('batches');
  const detail = await oneBackfill('90001', operator, ports, postgres);
  expect(detail.ranges).toHaveLength(100);
  expect(detail.ranges[0]).toMatchObject({ number: 1, ended: false, upper: [KEY] });
  expect(detail.batches).toHaveLength(200);
  const sum = (of: 'batches' | 'rows') => detail.batches?.reduce((all, one) => all + one[of], 0);
  expect([sum('batches'), sum('rows')]).toEqual([24_000, 12_000_000]);
  const times = detail.batches?.map(({ atMs }) => atMs) ?? [];
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(await database.up(history)).toMatchObject({ error: null });
});

describe('how fast one goes', () => {
  test('is not told from what nobody has added to for a minute', async () => {
    const database = await place.freshDatabase();
    await database.up(history);
    await journal(database, { state: 'running', count: 1, ranges: 1, prefix: '9' });
    const ports = database.ports();
    const shown = () => oneBackfill('90001', operator, ports, postgres);
    expect(await shown()).toMatchObject({ rowsPerSecond: 1_000, etaSeconds: 999, rangesHeld: 0 });
    await database.query(`update forerun.backfill_range set recent = ${samples(61)}`);
    expect(await shown()).toMatchObject({ share: 0.001, rowsPerSecond: null, etaSeconds: null });
  });

  test('two days ago keeps no deploy from what needs it: the run finishes it', async () => {
    const database = await place.freshDatabase();
    await database.up(history);
    await database.query(`
      update forerun.backfill set state = 'running', prepared_at = now(), started_at = now(), total = 1000000,
        key = '[["id", "bigint"]]';
      insert into forerun.lease (history, name) values ('default', 'backfill:0002_fill:1');
      insert into forerun.backfill_range (history, backfill, number, batch_rows, recent)
        values ('default', '0002_fill', 1, 500, ${samples(172_800)})`);
    const strict = migration({
      after: '0002_fill',
      needs: ['0002_fill'],
      up: ({ op }) => op.execute('alter table thing alter column n set not null'),
      down: irreversible('a test'),
    });
    const result = await database.up(historyOf({ ...modules, '0003_strict': strict }));
    expect(result.error).toBeNull();
    expect(result.steps.at(-1)).toMatchObject({ migration: '0003_strict', outcome: 'applied' });
  });

  test('is nothing while it waits for older transactions, and then it says so', async () => {
    const database = await place.freshDatabase();
    await database.up(history);
    const other = await database.connect();
    await other.query('begin; select pg_current_xact_id()');
    const reader = database.ports();
    const seen: BackfillData[] = [];
    let asked = false;
    const ports = database.ports({
      clock: fastClock(),
      tell: (note) => {
        if (note.note !== 'waiting' || asked) return;
        asked = true;
        void oneBackfill('0002_fill', operator, reader, postgres).then((one) => {
          seen.push(one);
          return other.query('commit');
        });
      },
    });
    await work(['0002_fill'], operator, ports.clock.now() + 600_000, ports);
    expect(seen).toMatchObject([{ waits: true, ranges: [{ waits: true, pass: 2 }] }]);
    const after = await oneBackfill('0002_fill', operator, reader, postgres);
    expect(after).toMatchObject({ state: 'succeeded', waits: false, share: 1 });
    await other.end();
  });
});
