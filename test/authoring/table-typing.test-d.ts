/** Checked by tsc alone: each marked line must not compile, every other one must. */
import { expectTypeOf } from 'vitest';
import {
  bigint,
  boolean,
  column,
  enumType,
  integer,
  irreversible,
  json,
  jsonNull,
  migration,
  numeric,
  table,
  text,
  timestamptz,
  uuid,
  type NewRow,
  type ReadRow,
  type TextRow,
} from 'forerun';

const users = table('users', {
  id: bigint(),
  ref: uuid(),
  name: text(),
  nick: text().nullable(),
  age: integer().defaulted(),
  balance: numeric(12, 2).defaulted(),
  mood: enumType('mood', ['sad', 'happy']).defaulted(),
  tags: text().array().defaulted(),
  doc: json<{ readonly a: number }>().nullable(),
  joined: timestamptz().defaulted(),
  search: text().generated(),
  email: column('email_address').nullable(),
});
const audit = table('app.audit', { id: uuid(), active: boolean() });

expectTypeOf<ReadRow<typeof users>['id']>().toEqualTypeOf<bigint>();
expectTypeOf<ReadRow<typeof users>['nick']>().toEqualTypeOf<string | null>();
expectTypeOf<ReadRow<typeof users>['mood']>().toEqualTypeOf<'sad' | 'happy'>();
expectTypeOf<ReadRow<typeof users>['tags']>().toEqualTypeOf<readonly string[]>();
expectTypeOf<NewRow<typeof users>['id']>().toEqualTypeOf<bigint | number>();
expectTypeOf<NewRow<typeof users>['joined']>().toEqualTypeOf<string | Date | undefined>();

const row = { id: 1n, ref: 'r', name: 'n' };

export const accepted = migration({
  after: 'base',
  tables: { users, 'app.audit': audit },
  down: irreversible('nothing to go back to'),
  async up({ db, op, progress }) {
    progress('half way');
    await db
      .insertInto('users')
      .values({ ...row, nick: null, balance: 3, doc: jsonNull })
      .execute();
    await db.insertInto('app.audit').values({ id: 'x', active: true }).execute();
    const found = await db.selectFrom('users').select(['id', 'mood', 'doc']).executeTakeFirstOrThrow();
    expectTypeOf(found).toEqualTypeOf<{
      id: bigint;
      mood: 'sad' | 'happy';
      doc: { readonly a: number } | null;
    }>();
    await db.schema.createTable('anything').addColumn('id', 'bigint').execute();

    // @ts-expect-error a column that the table does not declare
    db.selectFrom('users').select('nmae');
    // @ts-expect-error a table that the migration does not name
    db.selectFrom('accounts');
    // @ts-expect-error a number is no uuid
    db.selectFrom('users').where('ref', '=', 5);
    // @ts-expect-error the enum has no such member
    db.updateTable('users').set({ mood: 'angry' });
    // @ts-expect-error null into a column that is not nullable
    db.updateTable('users').set({ name: null });
    // @ts-expect-error a text into a whole number
    db.updateTable('users').set({ age: '5' });
    // @ts-expect-error the database computes this column
    db.updateTable('users').set({ search: 'x' });
    // @ts-expect-error the database computes this column
    db.insertInto('users').values({ ...row, search: 'x' });
    // @ts-expect-error the column "name" is missing
    db.insertInto('users').values({ id: 1n, ref: 'r' });
    // @ts-expect-error the document has another shape
    db.insertInto('users').values({ ...row, doc: { b: 1 } });
    // @ts-expect-error an element of another type
    db.insertInto('users').values({ ...row, tags: [1] });

    await op.bulkInsert(users, [row, { ...row, mood: 'sad', nick: null, tags: ['a'] }]);
    // @ts-expect-error a bulk row without "name"
    await op.bulkInsert(users, [{ id: 1n, ref: 'r' }]);
    // @ts-expect-error a bulk row with a wrong type
    await op.bulkInsert(users, [{ ...row, age: '5' }]);
    // @ts-expect-error a bulk row that names a computed column
    await op.bulkInsert(users, [{ ...row, search: 'x' }]);
    // @ts-expect-error no other way to meet a conflict
    await op.bulkInsert(users, [row], { onConflict: 'update' });
    await op.bulkInsert(users, [row], { onConflict: { key: 'id', update: ['name'] } });
    // @ts-expect-error a conflict on a column that the table does not declare
    await op.bulkInsert(users, [row], { onConflict: { key: 'idd' } });
    // @ts-expect-error an update of a column that the table does not declare
    await op.bulkInsert(users, [row], { onConflict: { key: 'id', update: ['nmae'] } });
    const textRows: readonly TextRow[] = [];
    await op.bulkInsert(users, textRows, { onConflict: 'nothing' });
    // @ts-expect-error rows whose columns are known are held to them, also where all of them are texts
    await op.bulkInsert(users, [{ ref: 'r', name: 'n' }]);

    await op.bulkUpdate(users, [{ id: 1n, name: 'x' }, { id: 2 }], { key: 'id' });
    await op.bulkUpdate(users, [{ ref: 'r', nick: null }], { key: ['ref'], notFound: 'pass-over' });
    await op.bulkUpdate(users, textRows, { key: 'id' });
    // @ts-expect-error a row without its key
    await op.bulkUpdate(users, [{ name: 'x' }], { key: 'id' });
    // @ts-expect-error a bulk update without a key
    await op.bulkUpdate(users, [{ id: 1n, name: 'x' }]);
    // @ts-expect-error a row with a wrong type
    await op.bulkUpdate(users, [{ id: 1n, age: '5' }], { key: 'id' });
    // @ts-expect-error a column that the table does not declare
    await op.bulkUpdate(users, [{ id: 1n, nmae: 'x' }], { key: 'id' });
    // @ts-expect-error an object cannot be bound by name
    await op.execute('select :a', { a: {} });
    const [counted] = await op.query<{ n: bigint }>('select count(*) as n from users');
    expectTypeOf(counted).toEqualTypeOf<{ n: bigint } | undefined>();
  },
});

const up = (): Promise<void> => Promise.resolve();

// @ts-expect-error the way back must be said
migration({ after: 'base', up });
// @ts-expect-error a reason is a text
migration({ after: 'base', up, down: irreversible() });
// @ts-expect-error the key must be the table's name
migration({ after: 'base', tables: { people: users }, up, down: up });
// @ts-expect-error a parent is named
migration({ after: 3, up, down: up });
// @ts-expect-error no such key
migration({ after: 'base', up, down: up, upgrade: up });
migration({
  after: 'base',
  async up({ db }) {
    // @ts-expect-error without tables the builder knows none
    await db.selectFrom('users').execute();
  },
  down: up,
});
