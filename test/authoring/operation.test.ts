import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  irreversible,
  isMigrationDefinition,
  migration,
  operation,
  sql,
  type MigrationSource,
  type OperationSource,
  type Tables,
} from 'forerun';
import { plan } from '../../lambda/engine/inspect.ts';
import type { RunNote } from '../../lambda/engine/ports.ts';
import { postgres } from '../../lambda/engine/postgres.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from '../lifecycle/workplace.ts';
import { historyOf } from './history-of.ts';
import { refusalOf } from './refusal.ts';

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

interface SlugArgument {
  readonly table: string;
  readonly prefix?: string;
}

const addSlug = operation({
  name: 'add slug',
  describe: ({ table }: SlugArgument) => `to ${table}`,
  async up({ op, check }, { table, prefix = '' }) {
    await op.execute(sql`alter table ${sql.table(table)} add column slug text`);
    await op.execute(sql`update ${sql.table(table)} set slug = ${prefix} || id`);
    await check('every row has a slug', sql`select from ${sql.table(table)} where slug is null`, { rows: 0 });
  },
  down: ({ op }, { table }) => op.execute(sql`alter table ${sql.table(table)} drop column slug`),
});

const createTable = operation({
  name: 'create table',
  up: ({ op }, { table }: { table: string; password?: string }) =>
    op.execute(sql`create table ${sql.table(table)} (id bigint primary key)`),
  down: ({ op }, { table }) => op.execute(sql`drop table ${sql.table(table)}`),
});

const columns = async (): Promise<unknown> =>
  (
    await database.query(
      `select string_agg(table_name || '.' || column_name, ' ' order by table_name, ordinal_position) as all
       from information_schema.columns where table_schema = 'public'`,
    )
  )[0]?.['all'];

const nothing = (): Promise<void> => Promise.resolve();

/** Modules reach the run without type checks, so anything may come. */
const define = (source: unknown) => migration(source as MigrationSource<Tables>);

const progressOf = (told: readonly RunNote[]): string[] =>
  told.flatMap((note) => (note.note === 'progress' ? [note.message] : []));

describe('an operation', () => {
  test('is used with its argument and taken back, and the log shows both by name', async () => {
    const history = historyOf({
      '0001_articles': migration({
        after: 'base',
        async up({ op }) {
          await op.execute('create table articles (id bigint primary key)');
          await op.execute('insert into articles values (7)');
          await op.use(addSlug, { table: 'articles', prefix: 'a-' });
        },
        async down({ op }) {
          await op.undo(addSlug, { table: 'articles' });
          await op.execute('drop table articles');
        },
      }),
    });
    const told: RunNote[] = [];
    expect((await database.up(history, { tell: (note) => told.push(note) })).error).toBeNull();
    expect(await database.query('select * from articles')).toEqual([{ id: '7', slug: 'a-7' }]);
    expect((await database.down(history, 'base', { tell: (note) => told.push(note) })).error).toBeNull();
    expect(await columns()).toBeNull();
    expect(progressOf(told)).toEqual(['add slug: to articles', 'undoing add slug: to articles']);
  });

  test('shows nothing of its argument that describe does not say', async () => {
    const history = historyOf({
      '0001_users': migration({
        after: 'base',
        operations: [createTable.with({ table: 'users', password: 'hush' })],
      }),
    });
    const told: RunNote[] = [];
    await database.up(history, { tell: (note) => told.push(note) });
    expect(progressOf(told)).toEqual(['create table']);
    expect(JSON.stringify(told)).not.toContain('hush');
  });

  test('may use others, and needs no argument', async () => {
    const base = operation({
      name: 'base tables',
      async up({ op }) {
        await op.use(createTable, { table: 'a' });
        await op.use(createTable.with({ table: 'b' }));
      },
      async down({ op }) {
        await op.undo(createTable.with({ table: 'b' }));
        await op.undo(createTable, { table: 'a' });
      },
    });
    const history = historyOf({
      '0001_base': migration({
        after: 'base',
        up: ({ op }) => op.use(base),
        down: ({ op }) => op.undo(base),
      }),
    });
    expect((await database.up(history)).error).toBeNull();
    expect(await columns()).toBe('a.id b.id');
    expect((await database.down(history, 'base')).error).toBeNull();
    expect(await columns()).toBeNull();
  });

  test('gets its argument, and neither parameters nor secrets beside it', async () => {
    const seen: string[] = [];
    const curious = operation({
      name: 'curious',
      up: (context) => Promise.resolve(seen.push(...Object.keys(context))),
      down: nothing,
    });
    await database.up(
      historyOf({ '0001_curious': migration({ after: 'base', operations: [curious.with()] }) }),
    );
    expect(seen.sort()).toEqual(['check', 'db', 'op', 'progress']);
  });

  test('rolls everything back when it fails, also where the error is caught', async () => {
    const history = historyOf({
      '0001_careless': migration({
        after: 'base',
        async up({ op }) {
          await op.use(createTable, { table: 'a' });
          await op.use(addSlug, { table: 'nowhere' }).catch(() => undefined);
        },
        down: irreversible('the test does not go back'),
      }),
    });
    const { error } = await database.up(history);
    expect(error?.text.what).toBe(
      '0001_careless failed at statement 2 (SQLSTATE 42P01): relation "nowhere" does not exist.',
    );
    expect(await columns()).toBeNull();
  });

  test('cannot be undone where it says so', async () => {
    const forget = operation({
      name: 'forget',
      up: () => Promise.resolve(),
      down: irreversible('the rows are gone.'),
    });
    const history = historyOf({
      '0001_forget': migration({
        after: 'base',
        up: ({ op }) => op.use(forget),
        down: ({ op }) => op.undo(forget).catch(() => undefined),
      }),
    });
    await database.up(history);
    const { error } = await database.down(history, 'base');
    expect(error?.text.what).toBe(
      '0001_forget could not be reverted: its down failed: "forget" cannot be undone: the rows are gone.',
    );
    expect(await database.query('select id from forerun.migration')).toEqual([{ id: '0001_forget' }]);
  });

  test('takes arguments of its own type only', () => {
    const wrong = [
      // @ts-expect-error: a table is needed
      () => addSlug.with({}),
      // @ts-expect-error: misspelt
      () => addSlug.with({ table: 'a', prefx: 'b' }),
      // @ts-expect-error: an argument is needed
      () => addSlug.with(),
    ];
    expect(wrong).toHaveLength(3);
  });

  test.each<[unknown, string]>([
    [undefined, 'operation() takes one object'],
    [{ up: nothing, down: nothing }, 'it has no name'],
    [{ name: ' ', up: nothing, down: nothing }, 'it has no name'],
    [{ name: 'x', down: nothing }, '"up" of "x" must be a function'],
    [
      { name: 'x', up: nothing },
      '"down" of "x" must be a function that takes its effect back, or irreversible(\'why\')',
    ],
    [
      { name: 'x', up: nothing, down: nothing, reverse: 1 },
      '"reverse" of "x" is not one of name, describe, transaction, up, down',
    ],
    [{ name: 'x', up: nothing, down: nothing, describe: 'x' }, '"describe" of "x" must be a function'],
    [
      { name: 'x', up: nothing, down: nothing, transaction: 'no' },
      '"transaction" of "x" must be true or false',
    ],
  ])('is refused when it is %o', async (source, flaw) => {
    expect(await refusalOf(() => operation(source as OperationSource<void>))).toBe(
      `migration-not-a-migration: An operation is not written as one: ${flaw}.`,
    );
  });

  test('is described in one line of bounded length', () => {
    const chatty = operation({
      name: 'x',
      describe: () => `a\n  b ${'c'.repeat(500)}`,
      up: nothing,
      down: nothing,
    });
    expect(chatty.with().label).toMatch(/^x: a b c{193} …$/);
  });
});

describe('a migration made of operations', () => {
  const history = historyOf({
    '0001_articles': migration({
      after: 'base',
      operations: [createTable.with({ table: 'articles' }), addSlug.with({ table: 'articles' })],
    }),
  });

  test('does them in order and takes them back in the opposite order', async () => {
    expect((await database.up(history)).error).toBeNull();
    expect(await columns()).toBe('articles.id articles.slug');
    const told: RunNote[] = [];
    expect((await database.down(history, 'base', { tell: (note) => told.push(note) })).error).toBeNull();
    expect(progressOf(told)).toEqual(['undoing add slug: to articles', 'undoing create table']);
    expect(await columns()).toBeNull();
    expect((await database.up(history)).error).toBeNull();
  });

  test('is shown in a plan by the names of its operations', async () => {
    const asker = { identity: { history: 'default' }, history };
    const goal = { direction: 'up', to: 'head', atomic: 'group' } as const;
    const planned = await plan(asker, goal, database.ports().database, postgres);
    expect(planned.operations).toEqual({ '0001_articles': ['create table', 'add slug: to articles'] });
  });

  test('has no way back when one of them has none', async () => {
    const forget = operation({
      name: 'forget',
      up: () => Promise.resolve(),
      down: irreversible('the rows are gone'),
    });
    const oneWay = historyOf({
      '0001_forget': migration({
        after: 'base',
        operations: [createTable.with({ table: 'a' }), forget.with()],
      }),
    });
    await database.up(oneWay);
    const { error } = await database.down(oneWay, 'base');
    expect(`${error?.code}: ${error?.text.what}`).toBe(
      'plan-irreversible: 0001_forget cannot be reverted: forget: the rows are gone.',
    );
  });

  const lone = operation({
    name: 'lone',
    transaction: false,
    up: ({ op }) => op.execute('select 1'),
    down: ({ op }) => op.execute('select 1'),
  });
  const whole = operation({
    name: 'whole',
    transaction: true,
    up: ({ op }) => op.execute('select 1'),
    down: ({ op }) => op.execute('select 1'),
  });
  const used = createTable.with({ table: 'a' });

  test.each<[unknown, string]>([
    [{ operations: [] }, '"operations" must be a list of operations with their arguments'],
    [{ operations: used }, '"operations" must be a list of operations with their arguments'],
    [
      { operations: [used, {}] },
      '"operations" 2 is no operation: make it with operation({ name, up, down }) and .with({ … })',
    ],
    [
      { operations: [createTable] },
      '"operations" 1 is the operation "create table" without its argument: write .with({ … }) behind it',
    ],
    [
      { operations: [used], up: () => undefined },
      '"operations" know both ways: leave "up" and "down" out, or call op.use in them instead',
    ],
    [
      { operations: [lone.with()] },
      '"lone" sends statements that must commit one by one: write transaction: false beside it (or long: true, when they may take over 45 seconds)',
    ],
    [
      { operations: [whole.with()], long: true },
      '"whole" sends statements that must commit together: leave transaction: false and long: true out',
    ],
  ])('is refused when it is %o', async (source, flaw) => {
    expect(await refusalOf(() => define({ after: 'base', ...(source as object) }))).toBe(
      `migration-not-a-migration: A migration is not written as one: ${flaw}.`,
    );
  });

  test('may hold what commits one by one when it says so itself', async () => {
    for (const how of [{ transaction: false }, { long: true }]) {
      expect(isMigrationDefinition(define({ after: 'base', operations: [lone.with()], ...how }))).toBe(true);
    }
    const hidden = historyOf({
      '0001_hidden': migration({
        after: 'base',
        up: ({ op }) => op.use(lone),
        down: irreversible('the test does not go back'),
      }),
    });
    const { error } = await database.up(hidden);
    expect(`${error?.code}: ${error?.text.what} ${error?.text.next}`).toBe(
      'statement-refused: 0001_hidden failed: "lone" sends statements that must commit one by one, and this migration has a transaction. Use it in a migration of its own with transaction: false (or long: true, when they may take over 45 seconds).',
    );
  });
});
