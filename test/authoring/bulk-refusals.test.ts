import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  bigint,
  integer,
  irreversible,
  jsonb,
  migration,
  table,
  text,
  type MigrationContext,
  type TextRow,
} from 'forerun';
import { startWorkplace, type FreshDatabase, type Workplace } from '../lifecycle/workplace.ts';
import { historyOf } from './history-of.ts';

const pets = table('pets', {
  id: bigint(),
  name: text(),
  age: integer().nullable(),
  doc: jsonb().nullable(),
});
type Op = MigrationContext<{ readonly pets: typeof pets }>['op'];

/** The compiler refuses most of what these tests send; a module that was never compiled may send it all the same. */
const wrong = (...rows: readonly object[]) => rows as never;

const GOOD = { id: 1, name: 'Rex' };

describe('in a run, a bulk operation', () => {
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

  const run = async (work: (op: Op) => Promise<unknown>) => {
    const definition = migration({
      after: 'base',
      tables: { pets },
      async up({ op }) {
        await op.execute(
          'create table pets (id bigint primary key, name text not null, age integer, doc jsonb)',
        );
        await work(op);
      },
      down: irreversible('the test does not go back'),
    });
    const { error } = await database.up(historyOf({ '0001_pets': definition }));
    return error;
  };

  const isThere = async () =>
    (await database.query(`select to_regclass('pets') is not null as "is"`))[0]?.['is'];

  test.each<readonly [string, string, (op: Op) => Promise<unknown>]>([
    [
      'a wrong column',
      'Row 2 for pets has a column "nmae" that table() does not declare.',
      (op) => op.bulkInsert(pets, wrong(GOOD, { id: 2, name: 'secret', nmae: 'secret' })),
    ],
    [
      'a wrong type',
      'Row 2 for pets cannot be sent. A value for pets.age (integer) must be a whole number.',
      (op) => op.bulkInsert(pets, wrong(GOOD, { id: 2, name: 'secret', age: 'secret' })),
    ],
    [
      'null where the table takes none',
      'Row 2 for pets has null in "name", which table() does not declare as nullable().',
      (op) => op.bulkInsert(pets, wrong(GOOD, { id: 2, name: null })),
    ],
    [
      'U+0000',
      'Row 2 for pets cannot be sent. A value for pets.name (text) must be text without the character U+0000 and without half surrogate pairs, which PostgreSQL cannot store.',
      (op) => op.bulkInsert(pets, [GOOD, { id: 2, name: 'secret\u0000' }]),
    ],
    [
      'a row over the limit, after rows that were sent',
      'Row 3 for pets is larger than one call takes (4 MiB).',
      (op) =>
        op.bulkInsert(pets, [GOOD, GOOD, { id: 2, name: 'x'.repeat(4 * 1024 * 1024) }], {
          rowsPerCall: 1,
          onConflict: 'nothing',
        }),
    ],
    [
      'a text that is no number, from a file',
      'Row 1 for pets cannot be sent. A value for pets.id (bigint) must be a whole number.',
      (op) => op.bulkInsert(pets, [{ id: 'secret', name: 'x' }] as readonly TextRow[]),
    ],
    [
      'a key that the table does not have',
      'pets has no row with the key (id) of row 2.',
      async (op) => {
        await op.bulkInsert(pets, [GOOD]);
        await op.bulkUpdate(
          pets,
          [
            { id: 1, name: 'secret' },
            { id: 2, name: 'secret' },
          ],
          { key: 'id' },
        );
      },
    ],
  ])('refuses %s, and nothing stays, also where the author catches the error', async (_, what, work) => {
    const caught = async (op: Op): Promise<void> => {
      await work(op).catch(() => undefined);
    };
    for (const way of [work, caught]) {
      const error = await run(way);
      expect(error?.code).toBe('rows-refused');
      expect(error?.text.what).toContain(what);
      expect(error?.text.state).toBe('Nothing of it stays: its transaction was rolled back.');
      expect(JSON.stringify(error)).not.toContain('secret');
      expect(await isThere()).toBe(false);
    }
  });

  test.each<readonly [string, string, (op: Op) => Promise<unknown>]>([
    ['a duplicate key', '23505', (op) => op.bulkInsert(pets, [GOOD, { id: 1, name: 'secret' }])],
    [
      'null where only the database knows that there may be none',
      '23502',
      (op) =>
        op.bulkInsert(table('pets', { id: bigint(), name: text().nullable() }), [{ id: 1, name: null }]),
    ],
    [
      'a value that a constraint refuses',
      '23514',
      async (op) => {
        await op.execute("alter table pets add constraint tame check (name <> 'secret')");
        await op.bulkInsert(pets, [GOOD, { id: 2, name: 'secret' }]);
      },
    ],
  ])('tells of %s with the rows of the call, and shows no value', async (_, sqlState, work) => {
    const error = await run(work);
    expect(error).toMatchObject({ code: 'migration-failed', place: { sqlState } });
    expect(error?.place.sql).toMatch(/^\/\* rows 1 to \d \*\/ insert into "pets"/);
    expect(error?.text.what).toMatch(/^0001_pets failed at statement \d/);
    expect(JSON.stringify(error)).not.toContain('secret');
    expect(await isThere()).toBe(false);
  });
});
