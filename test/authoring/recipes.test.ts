import { isDeepStrictEqual } from 'node:util';
import type { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  addCheck,
  addEnumValue,
  addForeignKey,
  addIndex,
  addNotNull,
  beginColumnRename,
  bindMigration,
  finishColumnRename,
  migration,
  replaceFunction,
  replaceView,
  type MigrationDefinition,
  type UsedOperation,
} from 'forerun';
import { startWorkplace, type FreshDatabase, type Workplace } from '../lifecycle/workplace.ts';
import { longStops, watchingSession, type Footprint } from './busy-table.ts';
import { catalogOf } from './catalog.ts';
import { historyOf } from './history-of.ts';

let place: Workplace;
let database: FreshDatabase;
let client: Client;

beforeAll(async () => {
  place = await startWorkplace();
});
afterAll(async () => {
  await place.close();
});
beforeEach(async () => {
  database = await place.freshDatabase();
  client = await database.connect();
  for (const sql of SHOP) await client.query(sql);
});
afterEach(async () => {
  await client.end();
});

const SHOP = [
  `create type mood as enum ('sad', 'happy')`,
  'create table users (id bigint primary key, name text)',
  `create table articles (id bigint primary key, author_id bigint, slug text, price numeric, mood mood default 'sad', moods mood[])`,
  `insert into users select n, 'user ' || n from generate_series(1, 20) n`,
  `insert into articles select n, 1 + n % 20, 'a' || n, n, 'happy', '{sad,happy}' from generate_series(1, 12000) n`,
];

/** The operation's statements one by one, as a migration outside a transaction sends them, and what each did. */
async function watched(used: UsedOperation, direction: 'up' | 'down' = 'up'): Promise<readonly Footprint[]> {
  const { session, footprints } = watchingSession(client);
  const bound = bindMigration(migration({ after: 'base', transaction: false, operations: [used] }), {
    id: '0001_watched',
    after: [],
    checksum: 'v1:0',
  });
  const tools = { inTransaction: false, progress: () => undefined };
  if (direction === 'up') await bound.up(session, tools);
  else if (bound.down.kind === 'reversible') await bound.down.run(session, tools);
  return footprints;
}

const inShort = (footprints: readonly Footprint[]): string[] =>
  footprints.map(({ locks, scanned }) => `${locks.join(', ')}; reads ${scanned.join(', ') || 'nothing'}`);

/** Up, down, up through the engine: what the runs said, and what became of the catalog. */
async function upAndDown(definition: MigrationDefinition) {
  const history = historyOf({ '0001_change': definition });
  const before = await catalogOf(database);
  const up = await database.up(history);
  const after = await catalogOf(database);
  const down = await database.down(history, 'base');
  const restored = await catalogOf(database);
  const again = await database.up(history);
  return {
    errors: [up, down, again].map(({ error }) => error),
    changes: !isDeepStrictEqual(before, after),
    comesBack: isDeepStrictEqual(before, restored),
    comesAgain: isDeepStrictEqual(after, await catalogOf(database)),
  };
}

const WELL = { errors: [null, null, null], changes: true, comesBack: true, comesAgain: true };

const alone = (used: UsedOperation): MigrationDefinition =>
  migration({ after: 'base', transaction: false, operations: [used] });

const together = (used: UsedOperation): MigrationDefinition =>
  migration({ after: 'base', operations: [used] });

describe('the watch', () => {
  test('sees the long stop of the plain way', async () => {
    const { session, footprints } = watchingSession(client);
    await session.execute({ sql: 'alter table articles alter column slug set not null' }, { rows: false });
    await session.execute({ sql: 'create index plain on articles (slug)' }, { rows: false });
    await session.execute(
      { sql: 'alter table articles add foreign key (author_id) references users (id)' },
      { rows: false },
    );
    expect(inShort(footprints)).toEqual([
      'articles: AccessExclusiveLock; reads articles',
      'articles: ShareLock; reads articles',
      'articles: ShareRowExclusiveLock, users: ShareRowExclusiveLock; reads articles, users',
    ]);
    expect(longStops(footprints)).toHaveLength(3);
  });
});

describe('addNotNull', () => {
  const used = addNotNull.with({ table: 'articles', column: 'slug' });

  test('reads the rows only while others may write', async () => {
    const footprints = await watched(used);
    expect(inShort(footprints)).toEqual([
      'articles: AccessExclusiveLock; reads nothing',
      'articles: ShareUpdateExclusiveLock; reads articles',
      'articles: AccessExclusiveLock; reads nothing',
      'articles: AccessExclusiveLock; reads nothing',
    ]);
    expect(longStops(footprints)).toEqual([]);
    expect(longStops(await watched(used, 'down'))).toEqual([]);
  });

  test('goes up, down and up again', async () => {
    expect(await upAndDown(alone(used))).toEqual(WELL);
    await expect(client.query('insert into articles (id) values (0)')).rejects.toThrow('not-null constraint');
  });

  test('stops at a null, keeps new ones out, and goes on when the old ones are filled', async () => {
    await client.query('update articles set slug = null where id = 5');
    const history = historyOf({ '0001_change': alone(used) });
    const first = await database.up(history);
    expect(first.outcome).toBe('partial');
    expect(first.error?.place.sqlState).toBe('23514');
    await expect(client.query('insert into articles (id) values (0)')).rejects.toThrow('check constraint');
    await client.query(`update articles set slug = 'five' where id = 5`);
    expect((await database.up(history)).error).toBeNull();
    await expect(client.query('insert into articles (id) values (0)')).rejects.toThrow('not-null constraint');
  });
});

describe('addCheck', () => {
  const used = addCheck.with({
    table: 'articles',
    name: 'articles_price',
    check: `price >= 0 and slug <> ':x'`,
  });

  test('reads the rows only while others may write', async () => {
    const footprints = await watched(used);
    expect(inShort(footprints)).toEqual([
      'articles: AccessExclusiveLock; reads nothing',
      'articles: ShareUpdateExclusiveLock; reads articles',
    ]);
    expect(longStops(await watched(used, 'down'))).toEqual([]);
  });

  test('goes up, down and up again', async () => {
    expect(await upAndDown(alone(used))).toEqual(WELL);
    const { rows } = await client.query(
      `select convalidated from pg_constraint where conname = 'articles_price'`,
    );
    expect(rows).toEqual([{ convalidated: true }]);
  });
});

describe('addForeignKey', () => {
  const used = addForeignKey.with({
    table: 'articles',
    name: 'articles_author',
    columns: ['author_id'],
    references: { table: 'users', columns: ['id'] },
    onDelete: 'cascade',
  });

  test('reads the rows only while others may write', async () => {
    const footprints = await watched(used);
    expect(inShort(footprints)).toEqual([
      'articles: ShareRowExclusiveLock, users: ShareRowExclusiveLock; reads nothing',
      'articles: ShareUpdateExclusiveLock, users: RowShareLock; reads articles, users',
    ]);
    expect(longStops(footprints)).toEqual([]);
    expect(longStops(await watched(used, 'down'))).toEqual([]);
  });

  test('goes up, down and up again', async () => {
    expect(await upAndDown(alone(used))).toEqual(WELL);
    await client.query('delete from users where id = 1');
    const { rows } = await client.query('select count(*)::int as n from articles where author_id = 1');
    expect(rows).toEqual([{ n: 0 }]);
  });
});

describe('addIndex', () => {
  const used = addIndex.with({
    table: 'articles',
    name: 'articles slug',
    columns: ['slug'],
    unique: true,
    include: ['price'],
    where: 'price > 1',
  });

  test('goes up, down and up again', async () => {
    expect(await upAndDown(alone(used))).toEqual(WELL);
    const { rows } = await client.query(
      `select indisvalid from pg_index where indexrelid = '"articles slug"'::regclass`,
    );
    expect(rows).toEqual([{ indisvalid: true }]);
  });

  test('takes expressions and methods', async () => {
    expect(
      await upAndDown(
        alone(
          addIndex.with({
            table: 'public.articles',
            name: 'a',
            using: 'gin',
            columns: { sql: `to_tsvector('simple', slug)` },
          }),
        ),
      ),
    ).toEqual(WELL);
  });

  test.each(['up', 'down'] as const)('lets others write while it goes %s', async (direction) => {
    const writer = await database.connect();
    const reader = await database.connect();
    try {
      if (direction === 'down') await watched(used);
      // An open transaction that has written keeps the build waiting, so that it can be looked at.
      await writer.query('begin');
      await writer.query('update articles set price = 7 where id = 1');
      const work = watched(used, direction);
      const mode = await lockOf(reader, 'articles', 'ShareUpdateExclusiveLock');
      expect(mode).toEqual(['RowExclusiveLock', 'ShareUpdateExclusiveLock']);
      await reader.query(`set lock_timeout = '1s'`);
      await reader.query('update articles set price = 8 where id = 2');
      await writer.query('commit');
      await work;
    } finally {
      await writer.end();
      await reader.end();
    }
  });

  test('that is not unique leaves nothing behind', async () => {
    await client.query(`update articles set slug = 'same'`);
    const before = await catalogOf(database);
    const { error } = await database.up(historyOf({ '0001_change': alone(used) }));
    expect(error?.place.sqlState).toBe('23505');
    expect(await catalogOf(database)).toEqual(before);
  });
});

/** Asks until somebody holds a lock of this mode on the table; then all modes that are held. */
async function lockOf(reader: Client, table: string, awaited: string): Promise<string[]> {
  for (;;) {
    const { rows } = await reader.query<{ mode: string }>(
      `select distinct mode from pg_locks where relation = '${table}'::regclass and granted and mode <> 'AccessShareLock' order by 1`,
    );
    const modes = rows.map(({ mode }) => mode);
    if (modes.includes(awaited)) return modes;
  }
}

describe('addEnumValue', () => {
  const used = addEnumValue.with({ type: 'mood', value: `so-so`, before: 'happy' });

  test('locks no table and goes up, down and up again', async () => {
    expect(inShort(await watched(used))).toEqual(['; reads nothing']);
    await client.query(`drop table articles; drop type mood; ${SHOP[0]}; ${SHOP[2]}; ${SHOP[4]}`);
    expect(await upAndDown(alone(used))).toEqual(WELL);
    const { rows } = await client.query('select enum_range(null::mood)::text as all');
    expect(rows).toEqual([{ all: '{sad,so-so,happy}' }]);
    expect((await client.query('select mood, moods from articles where id = 1')).rows).toEqual([
      { mood: 'happy', moods: '{sad,happy}' },
    ]);
  });

  test('lets the next migration use the value', async () => {
    const history = historyOf({
      '0001_value': alone(used),
      '0002_use': migration({
        after: '0001_value',
        up: ({ op }) => op.execute(`update articles set mood = 'so-so'`),
        down: ({ op }) => op.execute(`update articles set mood = 'happy'`),
      }),
    });
    expect((await database.up(history)).error).toBeNull();
    expect((await database.down(history, 'base')).error).toBeNull();
  });

  test('does not go down over a row that holds the value', async () => {
    const history = historyOf({ '0001_value': alone(used) });
    await database.up(history);
    await client.query(`update articles set mood = 'so-so' where id = 1`);
    const before = await catalogOf(database);
    const { error } = await database.down(history, 'base');
    expect(error?.place.sqlState).toBe('22P02');
    expect(await catalogOf(database)).toEqual(before);
  });
});

const grantsOf = async () =>
  (
    await client.query(
      `select relacl::text as acl, reloptions::text as options, obj_description(oid) as comment from pg_class where relname = 'cheap'`,
    )
  ).rows;

const differing = async () =>
  (await client.query('select count(*)::int as n from articles where slug is distinct from handle')).rows[0]
    ?.n;

describe('replaceView', () => {
  const first = `select id, slug from articles where slug <> ':x'`;
  const wider = `select id, slug, price as "What it's worth" from articles`;
  test('makes a view and takes it away', async () => {
    expect(await upAndDown(together(replaceView.with({ name: 'cheap', to: first })))).toEqual(WELL);
  });

  test.each([
    ['where columns only come', first, wider],
    ['where columns go', wider, first],
  ])('keeps owner, grants, options and comment %s', async (_where, from, to) => {
    await client.query(`create view cheap with (security_barrier=true) as ${from}`);
    await client.query(`comment on view cheap is 'what''s cheap'`);
    await client.query(`drop role if exists view_reader; create role view_reader`);
    await client.query('grant select on cheap to view_reader with grant option');
    const before = await grantsOf();
    expect(before[0]).toMatchObject({ options: '{security_barrier=true}', comment: `what's cheap` });
    expect(await upAndDown(together(replaceView.with({ name: 'public.cheap', from, to })))).toEqual(WELL);
    expect(await grantsOf()).toEqual(before);
    await client.query('drop view cheap; drop role view_reader');
  });

  test.each([
    [`alter view cheap alter column slug set default 'none'`, 'default of slug'],
    [`comment on column cheap.price is 'in cents'`, 'comment on price'],
    ['create rule "Gone" as on delete to cheap do instead nothing', 'rule "Gone"'],
    ['grant select (slug) on cheap to public', 'grants on slug'],
  ])('is refused where the view must be made anew and would lose something: %s', async (sql, what) => {
    const old = 'select id, slug, price from articles';
    await client.query(`create view cheap as ${old}`);
    await client.query(sql);
    const before = await catalogOf(database);
    const anew = (to: string) =>
      historyOf({ '0001_change': together(replaceView.with({ name: 'cheap', from: old, to })) });
    const { error } = await database.up(anew('select id, slug from articles'));
    expect(error?.text.what).toContain(`the view "cheap" must be made anew, and this would be lost: ${what}`);
    expect(await catalogOf(database)).toEqual(before);
    expect((await database.up(anew('select id, slug, price, id as again from articles'))).error).toBeNull();
  });

  test('is refused for a view that somebody changed', async () => {
    await client.query('create view cheap as select id from articles');
    const before = await catalogOf(database);
    const { error } = await database.up(
      historyOf({ '0001_change': together(replaceView.with({ name: 'cheap', from: first, to: wider })) }),
    );
    expect(error?.text.what).toContain(
      'the view "cheap" is not the one that this migration replaces: somebody changed it',
    );
    expect(await catalogOf(database)).toEqual(before);
  });

  test('is refused for a view that is there although it should be new, and for one that is not there', async () => {
    const missing = historyOf({
      '0001_change': together(replaceView.with({ name: 'cheap', from: first, to: wider })),
    });
    expect((await database.up(missing)).error?.text.what).toContain('the view "cheap" is not there');
    await client.query('create view cheap as select id from articles');
    const fresh = historyOf({ '0001_change': together(replaceView.with({ name: 'cheap', to: first })) });
    expect((await database.up(fresh)).error?.text.what).toContain('the view "cheap" is there already');
  });
});

describe('replaceFunction', () => {
  const first = `create or replace function worth(p numeric) returns text language sql immutable as $$ select 'a:b ' || p $$`;
  const second = `create or replace function worth(p numeric) returns text language plpgsql as $$ begin return p::text; end; $$`;
  const other = `create or replace function worth(p numeric) returns integer language sql as $forerun$ select p::int $forerun$`;
  const name = 'worth(numeric)';

  test('makes a function and takes it away', async () => {
    expect(await upAndDown(together(replaceFunction.with({ name, to: first })))).toEqual(WELL);
  });

  test.each([
    ['in its place', second],
    ['anew, where the type of its result changes', other],
  ])('replaces one %s and keeps its grants', async (_how, to) => {
    await client.query(first);
    await client.query('drop role if exists caller; create role caller');
    await client.query(
      `revoke all on function ${name} from public; grant execute on function ${name} to caller`,
    );
    const grants = `select proacl::text as acl from pg_proc where proname = 'worth'`;
    const before = (await client.query(grants)).rows;
    expect(await upAndDown(together(replaceFunction.with({ name, from: first, to })))).toEqual(WELL);
    expect((await client.query(grants)).rows).toEqual(before);
    await client.query(`drop function ${name}; drop role caller`);
  });

  test('is refused for a function that somebody changed', async () => {
    await client.query(second);
    const history = historyOf({
      '0001_change': together(replaceFunction.with({ name, from: first, to: other })),
    });
    const before = await catalogOf(database);
    expect((await database.up(history)).error?.text.what).toContain(
      'the function worth(numeric) is not the one that this migration replaces: somebody changed it',
    );
    expect(await catalogOf(database)).toEqual(before);
  });
});

describe('a column renamed in two phases', () => {
  const rename = { table: 'articles', from: 'slug', to: 'handle' };
  const history = historyOf({
    '0001_begin': migration({
      after: 'base',
      transaction: false,
      operations: [beginColumnRename.with(rename)],
    }),
    '0002_finish': migration({
      after: '0001_begin',
      transaction: false,
      operations: [finishColumnRename.with(rename)],
    }),
  });

  test('never makes writers wait for all rows', async () => {
    await client.query('alter table articles alter column slug set not null');
    const begun = await watched(beginColumnRename.with(rename));
    expect(longStops(begun)).toEqual([]);
    expect(begun.filter(({ sql }) => sql.startsWith('update'))).toHaveLength(4);
    expect(await differing()).toBe(0);
    expect(longStops(await watched(finishColumnRename.with(rename)))).toEqual([]);
    expect(longStops(await watched(finishColumnRename.with(rename), 'down'))).toEqual([]);
    expect(longStops(await watched(beginColumnRename.with(rename), 'down'))).toEqual([]);
  });

  test('keeps both names equal for both releases of the app', async () => {
    await client.query(`alter table articles alter column slug set default 'none'`);
    expect((await database.up(history, { to: '0001_begin' })).error).toBeNull();
    await client.query(`insert into articles (id, slug) values (-1, 'old app')`);
    await client.query(`insert into articles (id, handle) values (-2, 'new app')`);
    await client.query('insert into articles (id) values (-3)');
    await client.query(`update articles set slug = 'by old' where id = 1`);
    await client.query(`update articles set handle = 'by new' where id = 2`);
    await client.query('update articles set slug = null where id = 3');
    await client.query('update articles set handle = null where id = 4');
    await client.query('update articles set price = 0 where id = 5');
    expect(await differing()).toBe(0);
    const { rows } = await client.query('select handle from articles where id < 6 order by id');
    expect(rows.map(({ handle }: { handle: string }) => handle)).toEqual([
      'none',
      'new app',
      'old app',
      'by old',
      'by new',
      null,
      null,
      'a5',
    ]);
  });

  test('carries type, default and not null over, and brings them back', async () => {
    await client.query('alter table articles alter column slug type varchar(40) collate "C"');
    await client.query(
      `alter table articles alter column slug set not null, alter column slug set default 'none'`,
    );
    const facts = (column: string) =>
      client
        .query(
          `select data_type, character_maximum_length as length, collation_name, is_nullable, column_default
           from information_schema.columns where table_name = 'articles' and column_name = '${column}'`,
        )
        .then(({ rows }) => rows);
    const rows = () => client.query('select * from articles order by id').then((found) => found.rows);
    const [before, content] = [await facts('slug'), await rows()];
    expect((await database.up(history)).error).toBeNull();
    expect(await facts('handle')).toEqual(before);
    expect(await facts('slug')).toEqual([]);
    expect((await database.down(history, 'base')).error).toBeNull();
    expect(await facts('slug')).toEqual(before);
    expect(await rows()).toEqual(content);
    expect((await client.query(`select proname from pg_proc where proname like '%twin%'`)).rows).toEqual([]);
  });

  test('is refused for a column that fills itself', async () => {
    await client.query('create table tickets (number bigint generated always as identity)');
    const definition = alone(beginColumnRename.with({ table: 'tickets', from: 'number', to: 'no' }));
    const { error, outcome } = await database.up(historyOf({ '0001_change': definition }));
    expect(error?.text.what).toContain('the column number is an identity or generated');
    expect(outcome).toBe('rolled-back');
  });

  test('is not finished while an index would be lost with the old column', async () => {
    await client.query('create unique index articles_slug on articles (slug)');
    await client.query('create index articles_lower on articles (lower(slug))');
    expect((await database.up(history, { to: '0001_begin' })).error).toBeNull();
    const refused = await database.up(history);
    expect(refused.error?.text.what).toContain(
      'the column slug still carries: index articles_lower, index articles_slug; give the other column the same, then drop them',
    );
    await client.query('drop index articles_slug, articles_lower');
    expect((await database.up(history)).error).toBeNull();
  });
});

describe('names that need quotes', () => {
  const rows = { table: `Ö's shop.Line "Items"`, column: `owner's "name"` };
  const other = { table: `Ö's shop.People`, column: 'Id' };

  beforeEach(async () => {
    await client.query(`create schema "Ö's shop"`);
    await client.query(`create table "Ö's shop"."People" ("Id" text primary key)`);
    await client.query(`create table "Ö's shop"."Line ""Items""" ("owner's ""name""" text default 'x\\y')`);
    await client.query(`create type "Ö's shop"."Mood" as enum ('a''b')`);
  });

  test.each([
    alone(addNotNull.with(rows)),
    alone(addCheck.with({ ...rows, name: `it's "fine"`, check: `"owner's ""name""" <> ':no'` })),
    alone(addIndex.with({ ...rows, name: `it's "quick"`, columns: [rows.column] })),
    alone(
      addForeignKey.with({
        table: rows.table,
        name: `it's "there"`,
        columns: [rows.column],
        references: { table: other.table, columns: [other.column] },
      }),
    ),
    alone(addEnumValue.with({ type: `Ö's shop.Mood`, value: `c\\'d`, before: `a'b` })),
    alone(beginColumnRename.with({ table: rows.table, from: rows.column, to: `it's "new"` })),
    together(replaceView.with({ name: `Ö's shop.100% "view"`, to: `select 'it''s' as "a ""b"" c"` })),
    together(
      replaceFunction.with({
        name: `"Ö's shop"."my "" function"(text)`,
        to: `create or replace function "Ö's shop"."my "" function"(a text) returns text language sql as 'select $1'`,
      }),
    ),
  ])('are quoted in all of them', async (definition) => {
    expect(await upAndDown(definition)).toEqual(WELL);
  });

  test('are quoted to the end of a rename', async () => {
    const rename = { table: rows.table, from: rows.column, to: `it's "new"` };
    const history = historyOf({
      '0001_begin': alone(beginColumnRename.with(rename)),
      '0002_finish': migration({
        after: '0001_begin',
        transaction: false,
        operations: [finishColumnRename.with(rename)],
      }),
    });
    const before = await catalogOf(database);
    expect((await database.up(history)).error).toBeNull();
    expect((await database.down(history, 'base')).error).toBeNull();
    expect(await catalogOf(database)).toEqual(before);
  });
});
