import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  bigint,
  irreversible,
  migration,
  sql,
  table,
  text,
  type Expectation,
  type MigrationContext,
  type Query,
} from 'forerun';
import { startWorkplace, type FreshDatabase, type Workplace } from '../lifecycle/workplace.ts';
import { historyOf } from './history-of.ts';

let place: Workplace;
let database: FreshDatabase;

beforeAll(async () => {
  place = await startWorkplace();
});
afterAll(async () => {
  await place.close();
});
beforeEach(async () => {
  database = await place.freshDatabase();
});

const pets = table('pets', { id: bigint(), name: text() });
type Context = MigrationContext<{ readonly pets: typeof pets }>;

/** One migration that makes three pets and then does what the test is about. */
function petsThen(work: (context: Context) => Promise<unknown>, transaction = true) {
  return historyOf({
    '0001_pets': migration({
      after: 'base',
      transaction,
      tables: { pets },
      async up(context) {
        const { op } = context;
        await op.execute('create table pets (id bigint primary key, name text)');
        await op.execute(`insert into pets values (1, 'Rex'), (2, 'Tom'), (3, 'Kim')`);
        await work(context);
      },
      down: irreversible('the test does not go back'),
    }),
  });
}

const run = async (work: (context: Context) => Promise<unknown>) => {
  const { error } = await database.up(petsThen(work));
  return error === null ? 'applied' : `${error.code}: ${error.text.what} ${error.text.state}`;
};

const refusal = (what: string): string =>
  `check-failed: 0001_pets failed: ${what} Nothing of it stays: its transaction was rolled back.`;

const isThere = async () =>
  (await database.query(`select to_regclass('pets') is not null as "is"`))[0]?.['is'];

const asking = (query: Query<unknown> | string, expectation: Expectation) =>
  run(({ check }) => check('pets are well', query, expectation));

describe('check', () => {
  test.each<[string, Query<unknown> | string, Expectation]>([
    ['a number of rows', 'select * from pets where id > 1', { rows: 2 }],
    ['no rows', sql`select from pets where id > ${9n}`, { rows: 0 }],
    ['bounds of rows', 'select id, id from pets; ', { rows: { min: 3, max: 3n } }],
    ['a comment at the end of the query', 'select 1 from pets -- all of them', { rows: 3 }],
    ['a count', 'select count(*) from pets', { value: 3 }],
    ['a whole number beyond 2^53', 'select 9007199254740993::bigint', { value: 9007199254740993n }],
    ['an exact numeric', 'select 9007199254740993.00', { value: 9007199254740993n }],
    ['a fraction', 'select 0.50', { value: { min: 0.25, max: 0.5 } }],
    ['a text', 'select name from pets where id = 1', { value: 'Rex' }],
    ['a truth', 'select true', { value: true }],
    ['nothing', 'select max(id) from pets where id > 9', { value: null }],
    ['a condition', 'select id from pets order by id', { holds: (rows) => rows[0]?.['id'] === 1n }],
  ])('lets %s pass', async (_what, query, expectation) => {
    expect(await asking(query, expectation)).toBe('applied');
    expect(await isThere()).toBe(true);
  });

  test.each<[string, Expectation, string]>([
    ['select * from pets', { rows: 0 }, 'expected 0 rows, found 3 rows'],
    ['select * from pets where id = 1', { rows: { min: 2 } }, 'expected at least 2 rows, found 1 row'],
    ['select * from pets', { rows: { max: 1 } }, 'expected at most 1 row, found 3 rows'],
    ['select count(*) from pets', { value: { min: 4, max: 9 } }, 'expected from 4 to 9, found 3'],
    [
      'select 9007199254740992::bigint',
      { value: 9007199254740993n },
      'expected 9007199254740993, found 9007199254740992',
    ],
    ['select 1.5', { value: 1 }, 'expected 1, found 1.5'],
    ['select id from pets where id = 9', { value: 1 }, 'expected 1, found 0 rows'],
    ['select id, name from pets', { value: 1 }, 'expected 1, found 3 rows of 2 columns'],
    ['select null', { value: 0 }, 'expected 0, found null'],
    [
      'select id from pets',
      { holds: () => false },
      'expected rows for which the condition holds, found 3 rows for which it does not',
    ],
  ])('rolls everything back when it asks: %s', async (query, expectation, told) => {
    expect(await asking(query, expectation)).toBe(refusal(`The check "pets are well" failed: ${told}.`));
    expect(await isThere()).toBe(false);
    expect(await database.query('select * from forerun.migration')).toEqual([]);
  });

  test('never shows the text of a row or the one that was expected', async () => {
    const told = await asking(sql`select name from pets where name = ${'Rex'}`, { value: 'Bello' });
    expect(told).toBe(
      refusal(
        'The check "pets are well" failed: expected a certain text, found another text (3 characters).',
      ),
    );
  });

  test('takes values by name and queries of the builder', async () => {
    const result = await run(async ({ db, check }) => {
      await check('named', 'select * from pets where name = :name', { rows: 1 }, { name: 'Tom' });
      await check('built', db.selectFrom('pets').select('name').where('id', '>', 1n), { rows: 2 });
    });
    expect(result).toBe('applied');
  });

  test('counts rows of which the reply could not hold all', async () => {
    const query = `select repeat('x', 1000) from generate_series(1, 20000)`;
    expect(await asking(query, { rows: 20_000 })).toBe('applied');
  });

  test('counts even where its author catches its error', async () => {
    const result = await run(async ({ op, check }) => {
      await check('never true', 'select 1', { rows: 0 }).catch(() => undefined);
      await op.execute('delete from pets').catch(() => undefined);
    });
    expect(result).toBe(refusal('The check "never true" failed: expected 0 rows, found 1 row.'));
    expect(await isThere()).toBe(false);
  });

  test('counts even where nobody awaits it', async () => {
    const result = await run(async ({ op, check }) => {
      void check('never true', 'select 1', { rows: 0 });
      await op.query('select 1');
      await op.query('select 1');
    });
    expect(result).toBe(refusal('The check "never true" failed: expected 0 rows, found 1 row.'));
    expect(await isThere()).toBe(false);
  });

  test('sees the change that was made before it in the same transaction', async () => {
    const result = await run(async ({ op, check }) => {
      await check('three before', 'select * from pets', { rows: 3 });
      await op.execute('delete from pets where id = 1');
      await check('two after', 'select * from pets', { rows: 2 });
    });
    expect(result).toBe('applied');
  });

  test('works where every statement commits alone', async () => {
    const good = petsThen(({ check }) => check('three', 'select * from pets', { rows: 3 }), false);
    expect((await database.up(good)).outcome).toBe('applied');
  });

  test.each<[string, unknown, string]>([
    ['', { rows: 0 }, 'A check() has no name.'],
    ['x', undefined, 'The check "x" expects nothing.'],
    ['x', {}, 'The check "x" must expect one of { rows }, { value } and { holds }.'],
    ['x', { rows: 0, value: 1 }, 'The check "x" must expect one of { rows }, { value } and { holds }.'],
    ['x', { rows: 'many' }, 'The check "x" needs a number, or { min, max } in { rows }.'],
    [
      'x',
      { rows: {} },
      'The check "x" needs { min, max } with at least one of the two, both numbers in { rows }.',
    ],
    [
      'x',
      { value: { from: 1 } },
      'The check "x" needs { min, max } with at least one of the two, both numbers in { value }.',
    ],
    ['x', { holds: true }, 'The check "x" needs a function in { holds }.'],
  ])('is refused with the name %j when it is written wrongly: %o', async (name, expectation, told) => {
    expect(await run(({ check }) => check(name, 'select 1', expectation as Expectation))).toContain(
      `value-refused: 0001_pets failed: ${told}`,
    );
  });
});

describe('expect', () => {
  test.each<[string, (context: Context) => Promise<unknown>]>([
    ['plain SQL', ({ op }) => op.execute('delete from pets', { expect: { rows: 3 } })],
    [
      'values by name',
      ({ op }) => op.execute('delete from pets where id = :id', { id: 1n }, { expect: { rows: 1 } }),
    ],
    [
      'the template',
      ({ op }) => op.execute(sql`delete from pets where id = ${1n}`, { expect: { rows: { max: 1 } } }),
    ],
    [
      'the builder',
      ({ db, op }) => op.execute(db.deleteFrom('pets').where('id', '>', 1n), { expect: { rows: 2 } }),
    ],
    ['bulk rows', ({ op }) => op.bulkInsert(pets, [{ id: 4n, name: 'Ute' }], { expect: { rows: 1 } })],
  ])('lets %s pass', async (_what, work) => {
    expect(await run(work)).toBe('applied');
  });

  test.each<[string, (context: Context) => Promise<unknown>, string]>([
    [
      'plain SQL',
      ({ op }) => op.execute('delete from pets where id > 1', { expect: { rows: 1 } }),
      'expected to change 1 row and changed 2: delete from pets where id > 1.',
    ],
    [
      'values by name, which it does not show',
      ({ op }) =>
        op.execute(
          'delete from pets where name = :name',
          { name: 'Nobody' },
          { expect: { rows: { min: 1 } } },
        ),
      'expected to change at least 1 row and changed 0: delete from pets where name = :name.',
    ],
    [
      'the builder',
      ({ db, op }) => op.execute(db.updateTable('pets').set({ name: 'secret' }), { expect: { rows: 1 } }),
      'expected to change 1 row and changed 3: update "pets" set "name" = cast(:p1 as text).',
    ],
    [
      'bulk rows',
      ({ op }) =>
        op.bulkInsert(pets, [{ id: 1n, name: 'Rex' }], { onConflict: 'nothing', expect: { rows: 1 } }),
      'expected to change 1 row and changed 0: bulk insert into pets.',
    ],
  ])('rolls everything back on %s', async (_what, work, told) => {
    const caught = async (context: Context): Promise<void> => {
      await work(context).catch(() => undefined);
    };
    expect(await run(caught)).toBe(refusal(`A statement was ${told}`));
    expect(await isThere()).toBe(false);
  });

  test('is refused when it asks for something else than rows', async () => {
    const misspelt = { expect: { row: 1 } } as unknown as { expect: { rows: number } };
    expect(await run(({ op }) => op.execute('delete from pets', misspelt))).toBe(
      refusal('expect: { rows } must be a number, or { min, max }.').replace('check-failed', 'value-refused'),
    );
  });

  test('is no value of that name', async () => {
    const at = new Date('2026-01-02T03:04:05Z');
    expect(
      await run(({ op }) =>
        op.execute('delete from pets where now() < :expect::timestamptz', { expect: at }),
      ),
    ).toBe('applied');
  });

  test('is refused where a wrong number could not be taken back', async () => {
    const history = petsThen(({ op }) => op.execute('delete from pets', { expect: { rows: 9 } }), false);
    const { error } = await database.up(history);
    expect(error?.code).toBe('statement-refused');
    expect(error?.text.what).toBe(
      '0001_pets failed: A statement with expect was sent outside a transaction, where a wrong number of rows could not be taken back.',
    );
    expect(await database.query('select count(*)::int as n from pets')).toEqual([{ n: 3 }]);
  });
});
