import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { backfill, bigint, integer, irreversible, migration, sql, table } from 'forerun';
import { work } from '../../lambda/engine/backfill/operate.ts';
import type { RunNote } from '../../lambda/engine/ports.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const things = table('thing', { id: bigint(), n: integer().nullable() });
type Batch = Extract<RunNote, { note: 'batch' }>;

const create = (rows: string) =>
  migration({
    after: 'base',
    async up({ op }) {
      await op.execute('create table thing (id bigint primary key, n int)');
      await op.execute(`insert into thing ${rows}`);
      await op.execute(
        `create function tired_of_looking() returns int language plpgsql as 'begin
           if strpos(current_query(), ''forerun_due'') > 0 then raise exception using errcode = ''57014''; end if;
           return 1;
         end'`,
      );
    },
    down: irreversible('a test'),
  });

const common = {
  after: '0001_create',
  table: things,
  key: 'id',
  where: sql`n is null`,
  set: { n: 1 },
  hold: true,
  pauseMs: 0,
  batchRows: 40,
  down: 'nothing to undo',
} as const;

const HUNDREDS = 'select g * 10, null from generate_series(1, 400) g';

const KEEP = `create function keep() returns trigger language plpgsql as 'begin return null; end';
  create trigger keep before update on thing for each row when (old.id <= 50) execute function keep()`;

async function run(database: FreshDatabase, term: object, onWait?: () => void, rows = HUNDREDS) {
  const batches: Batch[] = [];
  const notes: RunNote[] = [];
  const history = historyOf({
    '0001_create': create(rows),
    '0002_fill': backfill({ ...common, ...term }),
  });
  await database.up(history, { to: '0001_create' });
  let waited = false;
  return {
    batches,
    history,
    notes,
    go: async () =>
      database.up(history, {
        clock: fastClock(),
        tell(note) {
          notes.push(note);
          if (note.note === 'batch') batches.push(note);
          if (note.note !== 'waiting' || waited) return;
          waited = true;
          onWait?.();
        },
      }),
  };
}

const lookedAt = (batches: readonly Batch[]): number => batches.reduce((sum, { rows }) => sum + rows, 0);
const missing = async (database: FreshDatabase): Promise<unknown> =>
  (await database.query('select count(*)::int as rows from thing where n is null'))[0]?.['rows'];

describe('the closing sweep', () => {
  test.each([
    ['set', {}],
    ['transform', { set: undefined, transform: () => ({ n: 1 }) }],
  ])('of the form %s reads no key a second time where nothing is left', async (_form, term) => {
    const database = await place.freshDatabase();
    const { batches, go } = await run(database, term);
    expect((await go()).error).toBeNull();
    expect(lookedAt(batches)).toBe(400);
    expect(await missing(database)).toBe(0);
    expect(await database.query('select reason from forerun.backfill')).toEqual([{ reason: null }]);
  });

  test.each([
    ['set', {}],
    ['transform', { set: undefined, transform: () => ({ n: 1 }) }],
    ['set, in two ranges', { parallel: 2 }],
  ])('of the form %s finds what was committed late, wherever its keys lie', async (_form, term) => {
    const database = await place.freshDatabase();
    const other = await database.connect();
    let committing: Promise<unknown> | undefined;
    const { batches, go } = await run(database, term, () => {
      committing = other.query('commit');
    });
    await other.query('begin; insert into thing select g * 100 + 5, null from generate_series(-1, 60) g');
    const result = await go();
    await committing;
    await other.end();
    expect(committing).toBeDefined();
    expect(result.error).toBeNull();
    expect(lookedAt(batches)).toBeGreaterThan(400);
    expect(await missing(database)).toBe(0);
  });

  test('waits for what was written while the last batch was under way', async () => {
    const database = await place.freshDatabase();
    const [holder, late] = [await database.connect(), await database.connect()];
    let committing: Promise<unknown> | undefined;
    const { go } = await run(database, { lockTimeoutMs: 20_000 }, () => {
      committing = late.query('commit');
    });
    await holder.query('begin; select from thing where id = 4000 for update');
    const result = go();
    const blocked = 'select count(*)::int as count from pg_locks where not granted';
    while ((await database.query(blocked))[0]?.['count'] === 0) await setImmediate();
    await late.query('begin; insert into thing values (-5)');
    await holder.query('commit');
    expect((await result).error).toBeNull();
    expect(committing).toBeDefined();
    await committing;
    await Promise.all([holder.end(), late.end()]);
    expect(await missing(database)).toBe(0);
  });

  test('goes window by window where reading all at once takes too long', async () => {
    const database = await place.freshDatabase();
    const { batches, go } = await run(database, { where: sql`coalesce(n, 0) < tired_of_looking()` });
    expect((await go()).error).toBeNull();
    expect(lookedAt(batches)).toBeGreaterThan(400);
    expect(await missing(database)).toBe(0);
  });

  test.each([
    ['that the change would leave as it is', '', { set: { n: sql`nullif(1, cast(id <= 50 as int))` } }],
    ['that a trigger keeps', KEEP, {}],
    ['that a trigger keeps, in two ranges beside the deploy', KEEP, { hold: false, parallel: 2 }],
    [
      'of which a transform changes nothing',
      '',
      { set: undefined, transform: ({ id }: { readonly id: bigint }) => (id <= 50n ? undefined : { n: 1 }) },
    ],
  ])('ends though rows stay %s, and says how many', async (_what, before, term) => {
    const database = await place.freshDatabase();
    const { history, notes, go } = await run(database, term);
    await database.query(before);
    expect((await go()).error).toBeNull();
    if ('hold' in term)
      await work(
        ['0002_fill'],
        operatorOf(history),
        Date.now() + 60_000,
        database.ports({ tell: (note) => notes.push(note) }),
      );
    const reason = 'rows whose where was still true when the closing sweep left them as they are: 5';
    expect(await database.query('select max(id)::int as last from thing where n is null')).toEqual([
      { last: 50 },
    ]);
    expect(await missing(database)).toBe(5);
    expect(await database.query('select state, reason from forerun.backfill')).toEqual([
      { state: 'succeeded', reason },
    ]);
    expect(
      await database.query(`select reason from forerun.backfill_event where to_state = 'succeeded'`),
    ).toEqual([{ reason }]);
    expect(
      JSON.stringify(notes, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).toContain(reason);
  });
});

test('a rare row is looked for window by window, each no larger than it was to be', async () => {
  const database = await place.freshDatabase();
  const rare = 'select g, case when g < 2900 then 1 end from generate_series(1, 3000) g';
  const { batches, go } = await run(database, {}, undefined, rare);
  expect((await go()).error).toBeNull();
  expect(batches.length).toBeGreaterThan(4);
  for (const [at, { rows }] of batches.entries()) {
    expect(rows).toBeLessThanOrEqual(at === 0 ? 40 : (batches[at - 1]?.nextRows ?? 0));
  }
  expect(batches.reduce((sum, { changed }) => sum + changed, 0)).toBe(101);
  expect(await missing(database)).toBe(0);
});

test('a table and its key may have any name that a part of our own statements might have', async () => {
  const database = await place.freshDatabase();
  const names =
    'ready edge seen done filled tally moved marked seat size parts edges sampled captured open largest cut held fitting sent lost'.split(
      ' ',
    );
  const { set, ...terms } = common;
  const keys = ['tile', 'edge', 'at', 'key', 'k0', 'c0', 'f0', 'rows', 'value', 'seen', 'number'];
  const chosen = names.map((name, at) => ({ name, key: keys[at % keys.length] ?? 'id' }));
  const ids = chosen.map(({ name }, at) => `${String(at + 2).padStart(4, '0')}_${name}`);
  const history = historyOf({
    '0001_create': migration({
      after: 'base',
      async up({ op }) {
        for (const { name, key } of chosen) {
          await op.execute(`create table "${name}" ("${key}" bigint primary key, n int)`);
          await op.execute(`insert into "${name}" select g, null from generate_series(1, 16) g`);
        }
      },
      down: irreversible('a test'),
    }),
    ...Object.fromEntries(
      chosen.map(({ name, key }, at) => [
        ids[at],
        backfill({
          ...terms,
          after: ids[at - 1] ?? '0001_create',
          table: table(name, { [key]: bigint(), n: integer().nullable() }),
          key,
          batchRows: 1,
          parallel: 2,
          frozen: at % 3 === 0,
          ...(at % 2 === 0 ? { set } : { transform: () => set }),
        }),
      ]),
    ),
  });
  expect((await database.up(history, { timeMs: 600_000 })).error).toBeNull();
  for (const { name } of chosen) {
    expect(await database.query(`select count(n)::int as done from "${name}"`)).toEqual([{ done: 16 }]);
  }
});
