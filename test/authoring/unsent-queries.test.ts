import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bigint, irreversible, migration, operation, sql, table, text, type MigrationContext } from 'forerun';
import { startWorkplace, type Workplace } from '../lifecycle/workplace.ts';
import { historyOf } from './history-of.ts';

let place: Workplace;

beforeAll(async () => {
  place = await startWorkplace();
});
afterAll(async () => {
  await place.close();
});

const notes = table('notes', { id: bigint(), body: text() });
type Context = MigrationContext<{ notes: typeof notes }>;

/** One run of a migration over the table `notes`: what it says, and the rows afterwards. */
async function run(up: (context: Context) => Promise<unknown>) {
  const database = await place.freshDatabase();
  await database.query('create table notes (id bigint primary key, body text)');
  const history = historyOf({
    '0001_notes': migration({ after: 'base', tables: { notes }, up, down: irreversible('no need here') }),
  });
  const { error } = await database.up(history);
  const rows = await database.query('select id::int, body from notes order by id');
  return {
    error: error?.text.what ?? null,
    rows: rows.map(({ id, body }) => `${String(id)} ${String(body)}`),
  };
}

const insert = ({ db }: Pick<Context, 'db'>, id: bigint) =>
  db.insertInto('notes').values({ id, body: `note ${id}` });

const refused = (what: string) => ({
  error: `0001_notes failed: The query ${what} was built and never sent.`,
  rows: [],
});

describe('a query that is built and never sent is refused, and nothing of the migration stays:', () => {
  const forgotten: readonly [string, (context: Context) => unknown][] = [
    ["insertInto('notes')", (context) => insert(context, 1n)],
    ["updateTable('notes')", ({ db }) => db.updateTable('notes').set({ body: 'x' }).where('id', '=', 1n)],
    ["deleteFrom('notes')", ({ db }) => db.deleteFrom('notes')],
    ["mergeInto('notes')", ({ db }) => db.mergeInto('notes').using('notes as other', 'other.id', 'notes.id')],
    ["insertInto('notes')", ({ db }) => db.withSchema('public').insertInto('notes')],
    [
      "deleteFrom('notes')",
      ({ db }) => db.with('old', (with_) => with_.selectFrom('notes').select('id')).deleteFrom('notes'),
    ],
    ["createTable('other')", ({ db }) => db.schema.createTable('other').addColumn('id', 'bigint')],
    ["dropTable('notes')", ({ db }) => db.schema.withSchema('public').dropTable('notes')],
    ["alterTable('notes')", ({ db }) => db.schema.alterTable('notes').addColumn('n', 'integer')],
  ];
  test.each(forgotten)('%s', async (what, build) => {
    const end = await run(async (context) => {
      await insert(context, 7n).execute();
      build(context);
    });
    expect(end).toEqual(refused(what));
  });

  test('in an operation', async () => {
    const forget = operation({
      name: 'forget',
      up: ({ db }) => Promise.resolve(db.schema.dropTable('notes')),
      down: irreversible('no need here'),
    });
    expect(await run(({ op }) => op.use(forget))).toEqual(refused("dropTable('notes')"));
  });
});

test('an execute() that nobody awaits is refused, and nothing of the migration stays', async () => {
  const end = await run(async (context) => {
    await insert(context, 7n).execute();
    void insert(context, 8n).execute();
  });
  expect(end).toEqual({
    error:
      '0001_notes failed at statement 2: The migration ended while a statement of its own was still under way.',
    rows: [],
  });
});

describe('a query is none that was forgotten', () => {
  const used: readonly [string, (context: Context) => Promise<unknown>, readonly string[]][] = [
    ['when it is executed', (context) => insert(context, 1n).execute(), ['1 note 1']],
    ['when it is compiled', ({ op, db }) => op.execute(insert({ db }, 1n)), ['1 note 1']],
    [
      'when it is part of a template',
      async ({ op, db }) => {
        const made = insert({ db }, 1n).returning('id');
        await op.query(sql`with made as (${made}) select * from made`);
      },
      ['1 note 1'],
    ],
    [
      'when it stands in a common table expression',
      ({ db }) => {
        const made = insert({ db }, 1n).returning('id');
        return db
          .with('made', () => made)
          .selectFrom('made')
          .selectAll()
          .execute();
      },
      ['1 note 1'],
    ],
    [
      'when it is built within one',
      ({ db }) =>
        db
          .with('made', (inner) => inner.insertInto('notes').values({ id: 1n, body: 'a' }).returning('id'))
          .selectFrom('made')
          .selectAll()
          .execute(),
      ['1 a'],
    ],
    [
      'when it is the base of others',
      async ({ db }) => {
        const base = db.insertInto('notes');
        await base.values({ id: 1n, body: 'a' }).execute();
        await base
          .values({ id: 2n, body: 'b' })
          .$if(true, (query) => query.returning('id'))
          .execute();
      },
      ['1 a', '2 b'],
    ],
    [
      'when it only reads',
      ({ db }) => {
        db.selectFrom('notes').select('id');
        return Promise.resolve();
      },
      [],
    ],
    [
      'when it is counted or explained',
      async ({ db, check }) => {
        await db.insertInto('notes').values({ id: 1n, body: 'a' }).executeTakeFirstOrThrow();
        await db.deleteFrom('notes').explain('json');
        await check('one note', db.selectFrom('notes').select('id'), { rows: 1 });
      },
      ['1 a'],
    ],
    [
      'when the schema is changed',
      async ({ db, op }) => {
        const { schema } = db;
        await schema.createTable('other').addColumn('id', 'bigint').execute();
        await op.execute(schema.createIndex('other_id').on('other').column('id'));
        await schema.dropTable('other').execute();
      },
      [],
    ],
  ];
  test.each(used)('%s', async (_, up, rows) => {
    expect(await run(up)).toEqual({ error: null, rows });
  });
});
