import { backfill } from '../../lambda/authoring/backfill.ts';
import { integer, text } from '../../lambda/authoring/column-types.ts';
import { bindMigration, migration, type MigrationDefinition } from '../../lambda/authoring/migration.ts';
import { sql } from '../../lambda/authoring/sql.ts';
import { table } from '../../lambda/authoring/table.ts';
import type { Migration } from '../../lambda/engine/migration.ts';
import type { Goal } from '../../lambda/engine/plan.ts';
import { lineOf } from '../lifecycle/line-of.ts';

/** A history and the run over it that the campaign breaks. */
export interface CampaignHistory {
  readonly name: string;
  readonly migrations: readonly Migration[];
  /** What runs after them. @default nothing */
  readonly repeatables?: readonly Migration[];
  /** What the database holds before: nothing at all, an empty journal, or the whole history. */
  readonly starts: readonly Start[];
  readonly goal: Goal;
}

export type Start = 'empty' | 'installed' | 'head';

/** How long the campaign's service waits for a statement. */
export const STATEMENT_LIMIT_MS = 1_000;

const UP: Goal = { direction: 'up', to: 'head', atomic: 'group' };
const BOTH: readonly Start[] = ['empty', 'installed'];

/** Statements that other tools can run too: plain text, no parameters. */
export const PLAIN = {
  inserts: [
    ['create table seed (n int)', 'insert into seed values (1)'],
    ['insert into seed values (2)', 'insert into seed values (3)'],
  ],
  doubling: [
    ['create table account (id int, credit int)', 'insert into account values (1, 5), (2, 7)'],
    ['update account set credit = credit * 2', 'update account set credit = credit + 1 where id = 1'],
  ],
  mixed: [
    [`create type mood as enum ('good', 'bad')`, 'create table diary (id int primary key, feeling mood)'],
    [
      `insert into diary values (1, 'good')`,
      'alter table diary add column note text',
      `update diary set note = coalesce(note, '') || 'x'`,
    ],
    ['create index diary_note on diary (note)', `insert into diary values (2, 'bad', 'y')`],
  ],
} as const;

const reversible = lineOf(
  {
    id: '0001_ledger',
    up: ['create table ledger (id int, amount int)', 'create table trace (what text)'],
    down: [`insert into trace values ('the ledger stays')`, 'update ledger set amount = amount - 1'],
  },
  {
    id: '0002_first',
    up: ['insert into ledger values (1, 8)', 'update ledger set amount = amount * 2'],
    down: ['update ledger set amount = amount / 2', `insert into trace values ('0002 down')`],
  },
  {
    id: '0003_more',
    up: ['alter table ledger add column label text', 'update ledger set amount = amount * 2'],
    down: [
      'alter table ledger drop column label',
      'update ledger set amount = amount / 2',
      `insert into trace values ('0003 down')`,
    ],
  },
);

const people = table('people', { id: integer(), name: text().defaulted() });

/** Rows of different keys travel in requests of their own. */
const bulk: readonly Migration[] = [
  bindMigration(
    migration({
      after: 'base',
      async up({ op }) {
        await op.execute(`create table people (id int, name text default 'nobody')`);
        await op.bulkInsert(
          people,
          Array.from({ length: 30 }, (_, id) => (id % 3 === 0 ? { id } : { id, name: `n${id}` })),
        );
        await op.execute('update people set id = id * 2 where name = :name', { name: 'nobody' });
      },
      async down({ op }) {
        await op.execute('drop table people');
      },
    }),
    { id: '0001_bulk', after: [], checksum: 'v1:bulk' },
  ),
];

/** A deferred trigger makes the commit itself work, and take its time. */
const deferred = lineOf({
  id: '0001_deferred',
  up: [
    'create table entry (n int)',
    'create table seen (n int)',
    `create function note_entry() returns trigger language plpgsql as 'begin perform pg_sleep(0.02); insert into seen values (new.n); return null; end'`,
    'create constraint trigger noted after insert on entry deferrable initially deferred for each row execute function note_entry()',
    'insert into entry values (1)',
  ],
});

const index = lineOf({
  id: '0001_index',
  alone: 'short',
  up: ['create table if not exists n (n int)', 'create index concurrently n_n on n (n)'],
});

/** Between two transactions a migration without one, of statements that must not run twice and of such that nothing fences. */
const alone = lineOf(
  { id: '0001_tally', up: ['create table tally (n int)', 'insert into tally values (3)'] },
  {
    id: '0002_alone',
    alone: 'short',
    up: [
      'insert into tally values (4)',
      'create index concurrently tally_n on tally (n)',
      'update tally set n = n * 2',
      'vacuum tally',
    ],
    down: ['update tally set n = n + 1', 'drop index concurrently tally_n', 'insert into tally values (5)'],
  },
  {
    id: '0003_after',
    up: ['update tally set n = n * 2'],
    down: ['update tally set n = n + 100'],
  },
);

/** They count how often they ran. */
const repeats: readonly Migration[] = lineOf(
  { id: 'counts', up: ['insert into seed values (40)', 'create view seeds as select sum(n) as n from seed'] },
  { id: 'doubles', up: ['update seed set n = n * 2'] },
).map((member) => ({ ...member, after: [], repeatable: true }));

/** Longer than the campaign's service waits for a statement. */
const long = lineOf({
  id: '0001_long',
  alone: 'long',
  up: [
    'create table slow (n int)',
    `insert into slow select 7 from pg_sleep(${(1.3 * STATEMENT_LIMIT_MS) / 1000})`,
    'update slow set n = n * 2',
  ],
});

const plain = (name: keyof typeof PLAIN, own: boolean): Migration[] =>
  lineOf(...PLAIN[name].map((up, at) => ({ id: `000${at + 1}_${name}`, up: [...up], own })));

const things = table('things', { id: integer(), n: integer() });

const createThings = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table things (id int primary key, n int not null)');
    await op.execute('insert into things select g, g from generate_series(1, 7) g');
  },
  async down({ op }) {
    await op.execute('drop table things');
  },
});

const andThen = migration({
  after: '0002_backfill',
  up: ({ op }) => op.execute('update things set n = n * 2'),
  down: ({ op }) => op.execute('update things set n = n / 2'),
});

const backfillOf = (definition: MigrationDefinition, first = createThings): readonly Migration[] =>
  [first, definition, andThen].map((one, at) =>
    bindMigration(one, {
      id: ['0001_things', '0002_backfill', '0003_then'][at] ?? '',
      after: one.after,
      checksum: `v1:${at}`,
    }),
  );

/** Small enough that every batch has calls to strike, and so written that a row that is changed twice weighs too much. */
const backfillTerms = {
  after: '0001_things',
  table: things,
  key: 'id',
  hold: true,
  batchRows: 3,
  pauseMs: 0,
  down: 'nothing to undo',
} as const;

/** A change that leaves no trace, over a frozen set. */
const backfillSet = backfillOf(backfill({ ...backfillTerms, frozen: true, set: { n: sql`n * 10 + 1` } }));

const backfillTransform = backfillOf(
  backfill({ ...backfillTerms, where: sql`n < 100`, transform: ({ n }) => ({ n: n + 100 }) }),
);

const backfillBatch = backfillOf(
  backfill({
    ...backfillTerms,
    where: sql`n < 100`,
    batch: ({ op, rows }) => op.execute(sql`update things set n = n + 100 where ${rows}`),
  }),
);

const rowsOfThings = migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table things (id int primary key, n int not null)');
    await op.execute('insert into things select g, g from generate_series(1, 96) g');
  },
  async down({ op }) {
    await op.execute('drop table things');
  },
});

/** Two lanes, of which one is done with its ranges while the other is held up in the last one: what is left of that is split. */
const backfillRanges = backfillOf(
  backfill({
    ...backfillTerms,
    frozen: true,
    batchRows: 1,
    parallel: 2,
    set: { n: sql`n * 10 + case when id = 87 then length(cast(pg_sleep(0.4) as text)) + 1 else 1 end` },
  }),
  rowsOfThings,
);

/** Every history of the campaign. */
export const HISTORIES: readonly CampaignHistory[] = [
  { name: 'inserts', migrations: plain('inserts', false), starts: BOTH, goal: UP },
  { name: 'doubling', migrations: plain('doubling', false), starts: BOTH, goal: UP },
  { name: 'mixed', migrations: plain('mixed', false), starts: BOTH, goal: UP },
  { name: 'mixed-each-alone', migrations: plain('mixed', true), starts: BOTH, goal: UP },
  { name: 'bulk', migrations: bulk, starts: BOTH, goal: UP },
  { name: 'deferred', migrations: deferred, starts: ['installed'], goal: UP },
  { name: 'index', migrations: index, starts: ['installed'], goal: UP },
  { name: 'alone', migrations: alone, starts: ['installed'], goal: UP },
  {
    name: 'alone-down',
    migrations: alone,
    starts: ['head'],
    goal: { ...UP, direction: 'down', to: '0001_tally' },
  },
  { name: 'repeat', migrations: plain('inserts', false), repeatables: repeats, starts: BOTH, goal: UP },
  { name: 'long', migrations: long, starts: ['installed'], goal: UP },
  { name: 'backfill-set', migrations: backfillSet, starts: ['installed'], goal: UP },
  { name: 'backfill-transform', migrations: backfillTransform, starts: ['installed'], goal: UP },
  { name: 'backfill-ranges', migrations: backfillRanges, starts: ['installed'], goal: UP },
  { name: 'backfill-batch', migrations: backfillBatch, starts: ['installed'], goal: UP },
  {
    name: 'down',
    migrations: reversible,
    starts: ['head'],
    goal: { direction: 'down', to: '0001_ledger', atomic: 'group' },
  },
  {
    name: 'down-each-alone',
    migrations: reversible,
    starts: ['head'],
    goal: { direction: 'down', to: '0001_ledger', atomic: 'migration' },
  },
];
