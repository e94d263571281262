import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { createBuilder } from '../../lambda/authoring/dialect.ts';
import { recordingSession } from './recording-session.ts';
import { refusalOf } from './refusal.ts';
import { items, shop } from './shop-tables.ts';

const REF = '6f2c1a52-5f5b-4f0c-9c1e-0a5b7c1d2e3f';

describe('the builder', () => {
  test('asks for rows only where a query gives some', async () => {
    const { session, statements } = recordingSession();
    const db = createBuilder(session, shop);
    await db.selectFrom('items').select('id').execute();
    await db.deleteFrom('items').returning('id').execute();
    await sql`select 1`.execute(db);
    await db.deleteFrom('items').execute();
    await db.schema.dropTable('items').execute();
    expect(statements.map(({ options }) => options.rows)).toEqual([true, true, true, false, false]);
  });

  test('gives back rows and counts as Kysely’s results', async () => {
    const db = createBuilder(recordingSession({ rows: [{ id: 7n }], affected: 3 }).session, shop);
    expect(await db.selectFrom('items').select('id').execute()).toEqual([{ id: 7n }]);
    expect(await db.updateTable('items').set({ stock: 1 }).executeTakeFirst()).toMatchObject({
      numUpdatedRows: 3n,
    });
    expect(await db.deleteFrom('items').executeTakeFirst()).toMatchObject({ numDeletedRows: 3n });
    expect(await sql`update items set stock = 1`.execute(db)).toMatchObject({ numAffectedRows: 3n });
  });

  test('sends no parameters where there are none', async () => {
    const { session, statements } = recordingSession();
    await sql`select tags[1:2] from items`.execute(createBuilder(session, shop));
    expect(statements[0]).toEqual({ sql: 'select tags[1: 2] from items', options: { rows: true } });
  });

  test.each([
    [
      'a transaction',
      (db: Db) => db.transaction().execute(() => Promise.resolve()),
      'A transaction of its own',
    ],
    ['a controlled transaction', (db: Db) => db.startTransaction().execute(), 'A transaction of its own'],
    ['introspection', (db: Db) => db.introspection.getTables(), 'db.introspection'],
    ['a stream', (db: Db) => db.selectFrom('items').select('id').stream().next(), 'stream()'],
  ])('refuses %s', async (_, use, what) => {
    const { session, statements } = recordingSession();
    expect(await refusalOf(() => use(createBuilder(session, shop)))).toBe(
      `statement-refused: ${what} is not available in a migration.`,
    );
    expect(statements).toEqual([]);
  });

  test('refuses an unqualified column that may have two types, and says how to qualify it', async () => {
    const db = createBuilder(recordingSession().session, shop);
    const query = db.selectFrom(['items', 'app.orders']).select('amount').where('name', '=', 'x');
    expect(await refusalOf(() => query.execute())).toBe(
      'statement-refused: The column name "name" is ambiguous: it may be items.name (varchar) or orders.name (text).',
    );
  });

  test('takes an unqualified column whose two tables agree on its type', async () => {
    const { session, statements } = recordingSession();
    const db = createBuilder(session, shop);
    await db.selectFrom(['items', 'app.orders']).select('amount').where('at', '<', '2026').execute();
    expect(statements[0]?.sql).toContain('"at" < cast(:p1 as timestamptz)');
  });

  test.each([
    ['a text', 'not a uuid', 'A value for items.ref (uuid) must be a UUID.'],
    ['an object', { a: 1 }, 'A value for items.ref (uuid) must be a string.'],
  ])('refuses %s where a uuid belongs, and does not repeat it', async (_, value, what) => {
    const db = createBuilder(recordingSession().session, shop);
    const query = db
      .selectFrom('items')
      .select('id')
      .where('ref', '=', value as string);
    expect(await refusalOf(() => query.execute())).toBe(`value-refused: ${what}`);
  });

  test.each([
    [
      'an array',
      [1],
      'The value of parameter 1 is an array, and nothing says which type it has in the database.',
    ],
    [
      'an object',
      { a: 1 },
      'The value of parameter 1 is an object, and nothing says which type it has in the database.',
    ],
    [
      'nothing',
      undefined,
      'The value of parameter 1 is undefined, and nothing says which type it has in the database.',
    ],
    [
      'U+0000',
      'a\u0000',
      'The value of parameter 1 holds the character U+0000 or half a surrogate pair, which PostgreSQL cannot store.',
    ],
  ])('refuses %s in the sql template', async (_, value, what) => {
    const db = createBuilder(recordingSession().session, shop);
    expect(await refusalOf(() => sql`select ${value}`.execute(db))).toBe(`value-refused: ${what}`);
  });

  test.each([
    ['compared with', 'items.ref (uuid)', sql`select id from items where ref = ${REF}`],
    ['compared with', 'items.ref (uuid)', sql`select id from items i where i.ref in (${REF})`],
    ['compared with', 'items.ref (uuid)', sql`select id from items where ref in (${sql.join([REF, REF])})`],
    ['compared with', 'items.ref (uuid)', sql`select id from items where ${sql.ref('ref')} <> ${REF}`],
    ['compared with', 'items.email (citext)', sql`delete from items where stock > 0 and email = ${'a@b'}`],
    [
      'compared with',
      'items.email (citext)',
      sql`update items set stock = 1 where "items"."email" = ${'a@b'}`,
    ],
    ['compared with', 'items.code (bpchar)', sql`select 1 from items where (code = ${'ab'})`],
    ['compared with', 'items.day (date)', sql`select 1 from items where day < ${new Date(0)}`],
    ['given to', 'items.doc (jsonb)', sql`update items set stock = ${1}, doc = ${'{}'}`],
  ])('refuses a text in the sql template that is %s %s', async (verb, place, query) => {
    const { session, statements } = recordingSession();
    expect(await refusalOf(() => query.execute(createBuilder(session, shop)))).toBe(
      `value-refused: A text in the sql template is ${verb} ${place}, and nothing says its type, so it would be bound as text.`,
    );
    expect(statements).toEqual([]);
  });

  test.each([
    [
      'with its type behind it',
      sql`select id from items where ref = ${REF}::uuid and email = ${'a'} :: citext`,
    ],
    [
      'with its type behind it, a template of its own',
      sql`select id from items where ref = ${sql`${REF}::uuid`}`,
    ],
    ['beside a text', sql`select id from app.orders where orders.name = ${'a'}`],
    ['of which a number is compared', sql`select id from items where stock = ${5} and price > ${1n}`],
    ['given to citext, which takes it', sql`update items set email = ${'a@b'}, code = ${'ab'}`],
    [
      'beside an expression',
      sql`select id from items where doc->>'ref' = ${'a'} and lower(email) = ${'a'} and day::text = ${'a'}`,
    ],
    ['beside a key of a document', sql`select id from items where doc->>ref = ${'a'}`],
    ['beside a column of two types', sql`select id from somewhere where name = ${'a'}`],
    ['beside a column that nobody declared', sql`select id from items where other = ${'a'}`],
    ['beside a domain', sql`select id from items where size = ${'a'}`],
    ['in a list of values', sql`insert into items (ref) values (${REF})`],
  ])('takes a text in the sql template %s', async (_, query) => {
    const { session, statements } = recordingSession();
    await query.execute(createBuilder(session, shop));
    expect(statements).toHaveLength(1);
  });

  test('takes a typed value of a table in the sql template', async () => {
    const { session, statements } = recordingSession();
    const db = createBuilder(session, shop);
    await sql`select ${items.value('ref', REF)}, ${items.value('tags', ['a'])}`.execute(db);
    expect(statements[0]).toMatchObject({
      sql: 'select cast(:p1 as uuid), cast(:p2 as text[])',
      parameters: { p1: REF, p2: '{"a"}' },
    });
  });

  test('leaves values of undeclared tables and columns as they are', async () => {
    const { session, statements } = recordingSession();
    const db = createBuilder(session, {}).$extendTables<{ other: { a: string; b: number } }>();
    await db.selectFrom('other').selectAll().where('a', '=', 'x').where('b', '>', 1).execute();
    expect(statements[0]).toMatchObject({
      sql: 'select * from "other" where "a" = :p1 and "b" > :p2',
      parameters: { p1: 'x', p2: 1 },
    });
  });

  test('finds a table that was declared without the schema put before it', async () => {
    const { session, statements } = recordingSession();
    const db = createBuilder(session, { items });
    await db.withSchema('other').deleteFrom('items').where('ref', '=', REF).execute();
    expect(statements[0]?.sql).toBe('delete from "other"."items" where "ref" = cast(:p1 as uuid)');
  });

  test('gives no type to a name that an undeclared source nearer by may hold', async () => {
    const { session, statements } = recordingSession();
    const db = createBuilder(session, shop);
    const inner = sql<{ ref: string }>`unnest(array['a'])`.as<'u'>(sql`u(ref)`);
    await db
      .selectFrom('items')
      .select('id')
      .where((eb) => eb.exists(eb.selectFrom(inner).select('u.ref').where('ref', '=', 'a')))
      .execute();
    expect(statements[0]?.sql).toContain('"ref" = :p1');
  });

  test('does not mistake a value that looks like a query node for one', async () => {
    const { session, statements } = recordingSession();
    const db = createBuilder(session, shop);
    await db
      .updateTable('items')
      .set({ doc: { kind: 'ValueNode', value: 1 } })
      .execute();
    expect(statements[0]?.parameters).toEqual({ p1: '{"kind":"ValueNode","value":1}' });
  });
});

type Db = ReturnType<typeof createBuilder<typeof shop>>;
