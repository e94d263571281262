import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  backfill,
  bigint,
  integer,
  irreversible,
  migration,
  sql,
  table,
  text,
  type MigrationDefinition,
} from 'forerun';
import { work } from '../../lambda/engine/backfill/operate.ts';
import { fastClock } from '../campaign/fast-clock.ts';
import { historyOf } from '../authoring/history-of.ts';
import { operatorOf } from './operator.ts';
import { startWorkplace, type FreshDatabase, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const ID = '0002_fill';
const things = table('thing', {
  id: bigint(),
  title: text().nullable(),
  slug: text().nullable(),
  n: integer(),
});
const common = { after: '0001_create', table: things, key: 'id', down: 'nothing to undo' } as const;

/** Works to the end on 400 rows, of which every tenth has no title. */
async function worked(
  definition: MigrationDefinition,
  create = 'create table thing (id bigint primary key, title text, slug text, n int not null default 0)',
  prepare = 'select 1',
  meanwhile = 'select 1',
): Promise<{ database: FreshDatabase; before: ReadonlyMap<unknown, unknown> }> {
  const database = await place.freshDatabase();
  const history = historyOf({
    '0001_create': migration({
      after: 'base',
      async up({ op }) {
        await op.execute(create);
        await op.execute(
          `insert into thing (id, title) select g, case when g % 10 > 0 then 'T ' || g end from generate_series(1, 400) g`,
        );
      },
      down: irreversible('a test'),
    }),
    [ID]: definition,
  });
  await database.up(history);
  await database.query(prepare);
  const before = await versions(database);
  const ports = database.ports({ clock: fastClock() });
  const other = await database.connect();
  await other.query(meanwhile);
  await work([ID], operatorOf(history), ports.clock.now() + 60_000, ports);
  await other.end();
  return { database, before };
}

const versions = async (database: FreshDatabase): Promise<ReadonlyMap<unknown, unknown>> =>
  new Map(
    (await database.query('select id, xmin::text as version from thing')).map((row) => [
      row['id'],
      row['version'],
    ]),
  );

const untouched = async ({ database, before }: Awaited<ReturnType<typeof worked>>): Promise<unknown[]> =>
  [...(await versions(database))]
    .filter(([id, version]) => before.get(id) === version)
    .map(([id]) => Number(id));

const standing = async (database: FreshDatabase) =>
  (
    await database.query(
      'select state, reason, (select sum(changed)::int from forerun.backfill_range) as changed from forerun.backfill',
    )
  )[0];

const tens = Array.from({ length: 40 }, (_, at) => 10 * (at + 1));
const slugs = backfill({ ...common, where: sql`slug is null`, set: { slug: sql`lower(title)` } });

describe('rows that a set would leave as they are', () => {
  test('are not written, though the others of their batch are', async () => {
    const done = await worked(slugs);
    expect(await standing(done.database)).toEqual({
      state: 'succeeded',
      reason: 'rows whose where was still true when the closing sweep left them as they are: 40',
      changed: 360,
    });
    expect((await untouched(done)).toSorted((one, other) => Number(one) - Number(other))).toEqual(tens);
  });

  const TOUCH = `create function touch() returns trigger language plpgsql as 'begin new.n = new.n + 1; return new; end'`;
  const byTouch = backfill({ ...common, where: sql`n = 0`, set: { slug: sql`lower(title)` } });

  test.each([
    [
      'the table',
      undefined,
      `${TOUCH}; create trigger t before update on thing for each row execute function touch()`,
    ],
    [
      'one of its partitions',
      `do $$ begin
        create table thing (id bigint primary key, title text, slug text, n int not null default 0) partition by range (id);
        create table thing_1 partition of thing for values from (minvalue) to (201);
        create table thing_2 partition of thing for values from (201) to (maxvalue);
      end $$`,
      `${TOUCH}; create trigger t before update on thing_1 for each row execute function touch();
       create trigger t before update on thing_2 for each row execute function touch()`,
    ],
  ])(
    'are not written even where a trigger of %s would make their where false',
    async (_of, create, prepare) => {
      const done = await worked(byTouch, create, prepare);
      expect(await standing(done.database)).toMatchObject({ state: 'succeeded', changed: 360 });
      expect((await untouched(done)).toSorted((one, other) => Number(one) - Number(other))).toEqual(tens);
    },
  );

  test.each([
    [
      'a rule that holds only for what is written',
      `alter table thing add check (slug is not null) not valid`,
    ],
    [
      'a trigger after the write',
      `create function strict() returns trigger language plpgsql as
         $$ begin if new.slug is null then raise 'no slug'; end if; return null; end $$;
       create trigger strict after update on thing for each row execute function strict()`,
    ],
  ])('are left alone where %s would refuse them', async (_rule, rule) => {
    const done = await worked(slugs, undefined, rule);
    expect(await standing(done.database)).toMatchObject({ state: 'succeeded', changed: 360 });
    expect(await untouched(done)).toHaveLength(40);
  });

  test('are left alone where somebody else has them, for whom only the closing sweep waits', async () => {
    const done = await worked(
      backfill({ ...common, where: sql`slug is null`, set: { slug: sql`lower(title)` }, lockTimeoutMs: 50 }),
      undefined,
      undefined,
      `begin; select from thing where id % 10 = 0 for update`,
    );
    expect(await standing(done.database)).toEqual({ state: 'running', reason: null, changed: 360 });
  });

  test('do not hide a change that leaves its where true', async () => {
    const { database } = await worked(
      backfill({ ...common, where: sql`id > 0`, set: { slug: sql`lower(title)` } }),
    );
    expect(await standing(database)).toMatchObject({
      state: 'failed',
      reason: 'the change leaves its own where true',
      changed: 0,
    });
    expect(await database.query('select count(*)::int as n from thing where slug is not null')).toEqual([
      { n: 0 },
    ]);
  });

  test('are not asked for while there are none: each value is computed once', async () => {
    const { database } = await worked(
      backfill({ ...common, where: sql`slug is null`, set: { slug: sql`counted(id)` } }),
      undefined,
      `create sequence counting;
       create function counted(id bigint) returns text language sql volatile as $$ select id::text || left(nextval('counting')::text, 0) $$`,
    );
    expect(await standing(database)).toEqual({ state: 'succeeded', reason: null, changed: 400 });
    expect(await database.query('select last_value::int as n from counting')).toEqual([{ n: 400 }]);
  });
});
