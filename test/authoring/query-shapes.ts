import { sql, type Kysely } from 'kysely';
import type { DatabaseOf } from 'forerun';
import { items, type shop } from './shop-tables.ts';

type Db = Kysely<DatabaseOf<typeof shop>>;

/** A query, the SQL it must become, and its parameters in order. */
export interface Shape {
  readonly name: string;
  readonly query: (db: Db) => { execute(): Promise<unknown> };
  readonly sql: string;
  readonly values: readonly unknown[];
}

const REF = '6f2c1a52-5f5b-4f0c-9c1e-0a5b7c1d2e3f';
const ITEM = { id: 1n, ref: REF, name: 'chair', price: '9.90' } as const;

const shape = (
  name: string,
  query: Shape['query'],
  expected: string,
  values: readonly unknown[] = [],
): Shape => ({ name, query, sql: expected.replaceAll(/\s*\n\s*/g, ' '), values });

/** Each runs on a real database too: a cast that PostgreSQL does not take shows there. */
export const SHAPES: readonly Shape[] = [
  shape(
    'an insert of one row',
    (db) => db.insertInto('items').values({ ...ITEM, tags: ['a', 'b "c"', 'd\\e'], doc: { a: [1, null] } }),
    `insert into "items" ("id", "ref", "name", "price", "tags", "doc")
     values (cast(:p1 as bigint), cast(:p2 as uuid), cast(:p3 as varchar), cast(:p4 as numeric), cast(:p5 as text[]), cast(:p6 as jsonb))`,
    ['1', REF, 'chair', '9.90', String.raw`{"a","b \"c\"","d\\e"}`, '{"a":[1,null]}'],
  ),
  shape(
    'an insert of rows with missing keys and expressions',
    (db) =>
      db.insertInto('items').values([
        { ...ITEM, stock: 4 },
        { ...ITEM, id: 2, name: sql<string>`upper(${'b'})` },
      ]),
    `insert into "items" ("id", "ref", "name", "price", "stock")
     values (cast(:p1 as bigint), cast(:p2 as uuid), cast(:p3 as varchar), cast(:p4 as numeric), cast(:p5 as integer)),
     (cast(:p6 as bigint), cast(:p7 as uuid), upper(:p8), cast(:p9 as numeric), default)`,
    ['1', REF, 'chair', '9.90', '4', '2', REF, 'b', '9.90'],
  ),
  shape(
    'an insert into a table with a schema',
    (db) => db.insertInto('app.orders').values({ id: REF, item_id: 5, amount: 3, name: null }),
    `insert into "app"."orders" ("id", "item_id", "amount", "name")
     values (cast(:p1 as uuid), cast(:p2 as bigint), cast(:p3 as integer), cast(:p4 as text))`,
    [REF, '5', '3', null],
  ),
  shape(
    'an insert of null values',
    (db) => db.insertInto('items').values({ ...ITEM, doc: null, weight: null }),
    `insert into "items" ("id", "ref", "name", "price", "doc", "weight")
     values (cast(:p1 as bigint), cast(:p2 as uuid), cast(:p3 as varchar), cast(:p4 as numeric), cast(:p5 as jsonb), cast(:p6 as double precision))`,
    ['1', REF, 'chair', '9.90', null, null],
  ),
  shape(
    'an insert on conflict with excluded and a condition',
    (db) =>
      db
        .insertInto('items')
        .values(ITEM)
        .onConflict((oc) =>
          oc
            .column('id')
            .doUpdateSet((eb) => ({
              mood: 'happy',
              stock: eb('items.stock', '+', 1),
              name: eb.ref('excluded.name'),
            }))
            .where('items.ref', '=', REF)
            .where('excluded.price', '>', '1'),
        ),
    `insert into "items" ("id", "ref", "name", "price")
     values (cast(:p1 as bigint), cast(:p2 as uuid), cast(:p3 as varchar), cast(:p4 as numeric))
     on conflict ("id") do update set "mood" = cast(:p5 as "app"."mood"), "stock" = "items"."stock" + cast(:p6 as integer), "name" = "excluded"."name"
     where "items"."ref" = cast(:p7 as uuid) and "excluded"."price" > cast(:p8 as numeric)`,
    ['1', REF, 'chair', '9.90', 'happy', '1', REF, '1'],
  ),
  shape(
    'an insert from a select with constants',
    (db) =>
      db
        .insertInto('app.orders')
        .columns(['id', 'item_id', 'amount'])
        .expression((eb) =>
          eb.selectFrom('items').select((e) => ['ref', e.val(7n).as('item_id'), e.val(2).as('amount')]),
        ),
    `insert into "app"."orders" ("id", "item_id", "amount")
     select "ref", cast(:p1 as bigint) as "item_id", cast(:p2 as integer) as "amount" from "items"`,
    ['7', '2'],
  ),
  shape(
    'an insert that returns all columns',
    (db) => db.insertInto('app.orders').values({ id: REF, item_id: 5n, amount: 3 }).returningAll(),
    `insert into "app"."orders" ("id", "item_id", "amount")
     values (cast(:p1 as uuid), cast(:p2 as bigint), cast(:p3 as integer))
     returning "id", "item_id", "name", "amount", pg_catalog.to_json(("at")) as "at"`,
    [REF, '5', '3'],
  ),
  shape(
    'an update with plain values',
    (db) =>
      db
        .updateTable('items')
        .set({ name: 'x', price: 1.5, at: new Date(0) })
        .where('id', '=', 3n),
    `update "items" set "name" = cast(:p1 as varchar), "price" = cast(:p2 as numeric), "at" = cast(:p3 as timestamptz)
     where "id" = cast(:p4 as bigint)`,
    ['x', '1.5', '1970-01-01T00:00:00.000Z', '3'],
  ),
  shape(
    'an update with arithmetic on whole numbers',
    (db) => db.updateTable('items').set((eb) => ({ stock: eb('stock', '*', 1.5), id: eb('id', '+', 1n) })),
    `update "items" set "stock" = "stock" * cast(:p1 as numeric), "id" = "id" + cast(:p2 as bigint)`,
    ['1.5', '1'],
  ),
  shape(
    'an update of an alias from another table',
    (db) =>
      db
        .updateTable('items as i')
        .from('app.orders as o')
        .set((eb) => ({ name: eb.fn.coalesce('o.name', eb.val('none')), mood: 'sad' }))
        .whereRef('o.item_id', '=', 'i.id')
        .where('o.amount', '>=', 2)
        .where('i.email', '=', 'A@b'),
    `update "items" as "i" set "name" = coalesce("o"."name", cast(:p1 as text)), "mood" = cast(:p2 as "app"."mood")
     from "app"."orders" as "o" where "o"."item_id" = "i"."id" and "o"."amount" >= cast(:p3 as integer)
     and "i"."email" = cast(:p4 as citext)`,
    ['none', 'sad', '2', 'A@b'],
  ),
  shape(
    'an update with a case',
    (db) =>
      db.updateTable('items').set((eb) => ({
        mood: eb
          .case()
          .when('stock', '>', 0)
          .then('happy' as const)
          .else('sad' as const)
          .end(),
        ref: eb.case('name').when('a').then(REF).else(eb.ref('ref')).end(),
      })),
    `update "items" set
     "mood" = case when "stock" > cast(:p1 as integer) then cast(:p2 as "app"."mood") else cast(:p3 as "app"."mood") end,
     "ref" = case "name" when cast(:p4 as varchar) then cast(:p5 as uuid) else "ref" end`,
    ['0', 'happy', 'sad', 'a', REF],
  ),
  shape(
    'an update with a scalar subselect',
    (db) =>
      db.updateTable('items').set((eb) => ({
        stock: eb
          .selectFrom('app.orders')
          .select((e) => e.fn.coalesce(e.fn.max('amount'), e.val(0)).as('m'))
          .where('app.orders.item_id', '=', 1n),
      })),
    `update "items" set "stock" = (select coalesce(max("amount"), cast(:p1 as integer)) as "m"
     from "app"."orders" where "app"."orders"."item_id" = cast(:p2 as bigint))`,
    ['0', '1'],
  ),
  shape(
    'a delete using another table',
    (db) =>
      db
        .deleteFrom('items')
        .using('app.orders')
        .whereRef('app.orders.item_id', '=', 'items.id')
        .where('app.orders.id', '=', REF)
        .returning(['items.id', 'items.lasts']),
    `delete from "items" using "app"."orders" where "app"."orders"."item_id" = "items"."id"
     and "app"."orders"."id" = cast(:p1 as uuid) returning "items"."id", cast("items"."lasts" as text) as "lasts"`,
    [REF],
  ),
  shape(
    'a select of everything with a limit',
    (db) => db.selectFrom('app.orders').selectAll().where('at', '<', '2026-01-01').limit(2).offset(1),
    `select "id", "item_id", "name", "amount", pg_catalog.to_json(("at")) as "at" from "app"."orders" where "at" < cast(:p1 as timestamptz) limit :p2 offset :p3`,
    ['2026-01-01', 2, 1],
  ),
  shape(
    'a join that selects everything of one table',
    (db) =>
      db
        .selectFrom('app.orders as o')
        .innerJoin('items as i', (join) => join.onRef('i.id', '=', 'o.item_id').on('i.mood', '=', 'sad'))
        .selectAll('o')
        .select('i.lasts as span'),
    `select "o"."id", "o"."item_id", "o"."name", "o"."amount", pg_catalog.to_json(("o"."at")) as "at", cast("i"."lasts" as text) as "span"
     from "app"."orders" as "o" inner join "items" as "i" on "i"."id" = "o"."item_id" and "i"."mood" = cast(:p1 as "app"."mood")`,
    ['sad'],
  ),
  shape(
    'a comparison of every kind of column',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where('ref', '=', REF)
        .where('name', '!=', 'x')
        .where('code', '=', 'ab')
        .where('stock', '<', 5)
        .where('price', '>=', '1.005')
        .where('weight', '<', 0.1)
        .where('active', '=', true)
        .where('day', '>', '2026-01-01')
        .where('lasts', '<', '1 day')
        .where('size', '=', '3'),
    `select "id" from "items" where "ref" = cast(:p1 as uuid) and "name" != cast(:p2 as varchar) and "code" = cast(:p3 as bpchar)
     and "stock" < cast(:p4 as integer) and "price" >= cast(:p5 as numeric) and "weight" < cast(:p6 as double precision)
     and "active" = cast(:p7 as boolean) and "day" > cast(:p8 as date) and "lasts" < cast(:p9 as interval) and "size" = cast(:p10 as positive)`,
    [REF, 'x', 'ab', '5', '1.005', '0.1', 'true', '2026-01-01', '1 day', '3'],
  ),
  shape(
    'a whole number compared with a fraction and with one out of range',
    (db) => db.selectFrom('items').select('id').where('stock', '>', 1.5).where('stock', '<', 3_000_000_000),
    `select "id" from "items" where "stock" > cast(:p1 as numeric) and "stock" < cast(:p2 as numeric)`,
    ['1.5', '3000000000'],
  ),
  shape(
    'a list',
    (db) =>
      db.selectFrom('items').select('id').where('ref', 'in', [REF]).where('mood', 'not in', ['sad', 'happy']),
    `select "id" from "items" where "ref" in (cast(:p1 as uuid)) and "mood" not in (cast(:p2 as "app"."mood"), cast(:p3 as "app"."mood"))`,
    [REF, 'sad', 'happy'],
  ),
  shape(
    'an empty list, which nothing is in',
    (db) => db.selectFrom('items').select('id').where('id', 'in', []).where('id', 'not in', []),
    `select "id" from "items" where false and true`,
  ),
  shape(
    'a list with an expression in it',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) => eb('id', 'in', [eb.val(1n), eb('id', '+', 1n)])),
    `select "id" from "items" where "id" in (cast(:p1 as bigint), "id" + cast(:p2 as bigint))`,
    ['1', '1'],
  ),
  shape(
    'a comparison of tuples',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) => eb(eb.refTuple('ref', 'stock'), 'in', [eb.tuple(REF, 1), eb.tuple(REF, 2)])),
    `select "id" from "items" where ("ref", "stock") in ((cast(:p1 as uuid), cast(:p2 as integer)), (cast(:p3 as uuid), cast(:p4 as integer)))`,
    [REF, '1', REF, '2'],
  ),
  shape(
    'between',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) => eb.between('day', '2026-01-01', '2026-02-01')),
    `select "id" from "items" where "day" between cast(:p1 as date) and cast(:p2 as date)`,
    ['2026-01-01', '2026-02-01'],
  ),
  shape(
    'null and true as conditions',
    (db) => db.selectFrom('items').select('id').where('doc', 'is', null).where('active', 'is not', true),
    `select "id" from "items" where "doc" is null and "active" is not true`,
  ),
  shape(
    'is distinct from',
    (db) => db.selectFrom('items').select('id').where('email', 'is distinct from', 'a@b'),
    `select "id" from "items" where "email" is distinct from cast(:p1 as citext)`,
    ['a@b'],
  ),
  shape(
    'patterns, which stay text',
    (db) => db.selectFrom('items').select('id').where('email', 'ilike', 'a%').where('name', '~', '^a'),
    `select "id" from "items" where "email" ilike :p1 and "name" ~ :p2`,
    ['a%', '^a'],
  ),
  shape(
    'containment of arrays and of json',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where('tags', '@>', ['a', 'b'])
        .where('tags', '&&', ['c'])
        .where('doc', '@>', { a: [1] })
        .where('doc', '?|', sql`array['a']`)
        .where('doc', '?', 'a'),
    `select "id" from "items" where "tags" @> cast(:p1 as text[]) and "tags" && cast(:p2 as text[])
     and "doc" @> cast(:p3 as jsonb) and "doc" ?| array['a'] and "doc" ? :p4`,
    ['{"a","b"}', '{"c"}', '{"a":[1]}', 'a'],
  ),
  shape(
    'parts of a json document',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) => eb(eb.ref('doc', '->').key('a' as never), '=', { b: 1 } as never))
        .where((eb) => eb(eb.ref('doc', '->>').key('c' as never), '=', 'x' as never)),
    `select "id" from "items" where "doc"->'a' = cast(:p1 as jsonb) and "doc"->>'c' = cast(:p2 as text)`,
    ['{"b":1}', 'x'],
  ),
  shape(
    'an array compared as one value',
    (db) => db.selectFrom('items').select('id').where('tags', '=', ['a']),
    `select "id" from "items" where "tags" = cast(:p1 as text[])`,
    ['{"a"}'],
  ),
  shape(
    'a value that is any of an array',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) => eb(eb.val('a'), '=', eb.fn.any('tags'))),
    `select "id" from "items" where cast(:p1 as text) = any("tags")`,
    ['a'],
  ),
  shape(
    'an array appended to',
    (db) => db.updateTable('items').set((eb) => ({ tags: eb('tags', '||', ['z']) })),
    `update "items" set "tags" = "tags" || cast(:p1 as text[])`,
    ['{"z"}'],
  ),
  shape(
    'json merged into a column',
    (db) => db.updateTable('items').set((eb) => ({ doc: eb('doc', '||', { k: 1 }) })),
    `update "items" set "doc" = "doc" || cast(:p1 as jsonb)`,
    ['{"k":1}'],
  ),
  shape(
    'an or inside parentheses',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) => eb.or([eb('ref', '=', REF), eb('id', '=', 1n)])),
    `select "id" from "items" where ("ref" = cast(:p1 as uuid) or "id" = cast(:p2 as bigint))`,
    [REF, '1'],
  ),
  shape(
    'a group with having',
    (db) =>
      db
        .selectFrom('app.orders')
        .select((eb) => ['item_id', eb.fn.countAll().as('n'), eb.fn.sum('amount').as('s')])
        .groupBy('item_id')
        .having((eb) => eb.fn.countAll(), '>', 3)
        .having((eb) => eb.fn.sum('amount'), '>', 10),
    `select "item_id", count(*) as "n", sum("amount") as "s" from "app"."orders" group by "item_id"
     having count(*) > cast(:p1 as bigint) and sum("amount") > cast(:p2 as bigint)`,
    ['3', '10'],
  ),
  shape(
    'exists',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) =>
          eb.exists(
            eb
              .selectFrom('app.orders as o')
              .select('o.id')
              .whereRef('o.item_id', '=', 'items.id')
              .where('ref', '=', REF),
          ),
        ),
    `select "id" from "items" where exists (select "o"."id" from "app"."orders" as "o" where "o"."item_id" = "items"."id" and "ref" = cast(:p1 as uuid))`,
    [REF],
  ),
  shape(
    'a value compared with a subselect',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) =>
          eb(eb.val(REF), 'in', eb.selectFrom('app.orders').select('app.orders.id').where('amount', '=', 1)),
        ),
    `select "id" from "items" where cast(:p1 as uuid) in (select "app"."orders"."id" from "app"."orders" where "amount" = cast(:p2 as integer))`,
    [REF, '1'],
  ),
  shape(
    'a common table expression',
    (db) =>
      db
        .with('big', (q) => q.selectFrom('items').select(['id', 'ref as r']).where('stock', '>', 5))
        .selectFrom('big')
        .selectAll()
        .where('r', '=', REF),
    `with "big" as (select "id", "ref" as "r" from "items" where "stock" > cast(:p1 as integer)) select "id", "r" from "big" where "r" = cast(:p2 as uuid)`,
    ['5', REF],
  ),
  shape(
    'a common table expression with column names',
    (db) =>
      db
        .with('big(a)', (q) => q.selectFrom('items').select('ref as a'))
        .selectFrom('big as b')
        .select('b.a')
        .where('b.a', '=', REF),
    `with "big"("a") as (select "ref" as "a" from "items") select "b"."a" from "big" as "b" where "b"."a" = cast(:p1 as uuid)`,
    [REF],
  ),
  shape(
    'a common table expression that writes',
    (db) =>
      db
        .with('gone', (q) => q.deleteFrom('items').where('active', '=', false).returning(['id', 'lasts']))
        .selectFrom('gone')
        .selectAll()
        .where('id', '>', 1n),
    `with "gone" as (delete from "items" where "active" = cast(:p1 as boolean) returning "id", "lasts")
     select "id", cast("lasts" as text) as "lasts" from "gone" where "id" > cast(:p2 as bigint)`,
    ['false', '1'],
  ),
  shape(
    'an insert from a common table expression that updates',
    (db) =>
      db
        .with('changed', (q) =>
          q.updateTable('items').set({ stock: 0 }).where('ref', '=', REF).returning(['ref', 'id']),
        )
        .insertInto('app.orders')
        .columns(['id', 'item_id', 'amount'])
        .expression((eb) =>
          eb
            .selectFrom('changed')
            .select((e) => ['ref', 'id', e.val(1).as('n')])
            .where('id', '=', 4n),
        ),
    `with "changed" as (update "items" set "stock" = cast(:p1 as integer) where "ref" = cast(:p2 as uuid) returning "ref", "id")
     insert into "app"."orders" ("id", "item_id", "amount")
     select "ref", "id", cast(:p3 as integer) as "n" from "changed" where "id" = cast(:p4 as bigint)`,
    ['0', REF, '1', '4'],
  ),
  shape(
    'a negation of a list',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) => eb.not(eb('mood', 'in', ['sad']))),
    `select "id" from "items" where not "mood" in (cast(:p1 as "app"."mood"))`,
    ['sad'],
  ),
  shape(
    'a bit shift of a whole number',
    (db) =>
      db
        .updateTable('items')
        .set((eb) => ({ id: eb('id', '<<', 2n) }))
        .where('id', '=', 1n),
    `update "items" set "id" = "id" << cast(:p1 as integer) where "id" = cast(:p2 as bigint)`,
    ['2', '1'],
  ),
  shape(
    'a recursive common table expression',
    (db) =>
      db
        .withRecursive('walk', (q) =>
          q
            .selectFrom('items')
            .select('id')
            .where('id', '=', 1n)
            .unionAll(
              q
                .selectFrom('walk')
                .select((eb) => eb('walk.id', '+', 1n).as('id'))
                .where('walk.id', '<', 5n),
            ),
        )
        .selectFrom('walk')
        .select('id'),
    `with recursive "walk" as (select "id" from "items" where "id" = cast(:p1 as bigint)
     union all select "walk"."id" + cast(:p2 as bigint) as "id" from "walk" where "walk"."id" < cast(:p3 as bigint)) select "id" from "walk"`,
    ['1', '1', '5'],
  ),
  shape(
    'a derived table and a lateral join',
    (db) =>
      db
        .selectFrom((eb) => eb.selectFrom('items').select(['id', 'ref']).as('d'))
        .leftJoinLateral(
          (eb) =>
            eb.selectFrom('app.orders as o').select('o.amount').whereRef('o.item_id', '=', 'd.id').as('l'),
          (join) => join.onTrue(),
        )
        .selectAll()
        .where('d.ref', '=', REF)
        .where('l.amount', '=', 2),
    `select "d"."id", "d"."ref", "l"."amount" from (select "id", "ref" from "items") as "d"
     left join lateral (select "o"."amount" from "app"."orders" as "o" where "o"."item_id" = "d"."id") as "l" on true
     where "d"."ref" = cast(:p1 as uuid) and "l"."amount" = cast(:p2 as integer)`,
    [REF, '2'],
  ),
  shape(
    'a union whose second branch is constant',
    (db) =>
      db
        .selectFrom('items')
        .select(['ref', 'stock'])
        .union(db.selectFrom('app.orders').select((eb) => [eb.val(REF).as('ref'), eb.val(0).as('stock')])),
    `select "ref", "stock" from "items" union select cast(:p1 as uuid) as "ref", cast(:p2 as integer) as "stock" from "app"."orders"`,
    [REF, '0'],
  ),
  shape(
    'a window function',
    (db) =>
      db
        .selectFrom('items')
        .select((eb) => [
          eb.fn
            .max('stock')
            .over((over) => over.partitionBy('mood').orderBy('at'))
            .as('m'),
          eb.fn.count('id').filterWhere('mood', '=', 'sad').as('n'),
        ])
        .groupBy(['stock', 'mood', 'at']),
    `select max("stock") over(partition by "mood" order by "at") as "m", count("id") filter(where "mood" = cast(:p1 as "app"."mood")) as "n"
     from "items" group by "stock", "mood", "at"`,
    ['sad'],
  ),
  shape(
    'a merge',
    (db) =>
      db
        .mergeInto('items as i')
        .using('app.orders as o', (join) => join.onRef('o.item_id', '=', 'i.id').on('o.amount', '>', 1))
        .whenMatchedAnd('i.mood', '=', 'sad')
        .thenUpdateSet({ mood: 'happy', stock: 3 })
        .whenNotMatched()
        .thenInsertValues((eb) => ({ id: eb.ref('o.item_id'), ref: REF, name: 'new', price: '1' })),
    `merge into "items" as "i" using "app"."orders" as "o" on "o"."item_id" = "i"."id" and "o"."amount" > cast(:p1 as integer)
     when matched and "i"."mood" = cast(:p2 as "app"."mood") then update set "mood" = cast(:p3 as "app"."mood"), "stock" = cast(:p4 as integer)
     when not matched then insert ("id", "ref", "name", "price") values ("o"."item_id", cast(:p5 as uuid), cast(:p6 as varchar), cast(:p7 as numeric))`,
    ['1', 'sad', 'happy', '3', REF, 'new', '1'],
  ),
  shape(
    'coalesce and greatest in a condition',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) =>
          eb(
            eb.fn.coalesce('day', eb.val('2026-01-01')),
            '<',
            eb.fn<string>('greatest', ['day', eb.val('2026-02-01')]),
          ),
        ),
    `select "id" from "items" where coalesce("day", cast(:p1 as date)) < greatest("day", cast(:p2 as date))`,
    ['2026-01-01', '2026-02-01'],
  ),
  shape(
    'a cast that the author wrote',
    (db) =>
      db
        .selectFrom('items')
        .select((eb) => eb.cast<string>(eb.val(REF), 'uuid').as('u'))
        .where('id', '=', 1n),
    `select cast(:p1 as uuid) as "u" from "items" where "id" = cast(:p2 as bigint)`,
    [REF, '1'],
  ),
  shape(
    'a literal, which stays one',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) => eb('stock', '=', eb.lit(1))),
    `select "id" from "items" where "stock" = 1`,
  ),
  shape(
    'a raw template with a query inside',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where(
          sql<boolean>`exists (${db.selectFrom('app.orders').select('amount').where('app.orders.id', '=', REF)})`,
        ),
    `select "id" from "items" where exists ((select "amount" from "app"."orders" where "app"."orders"."id" = cast(:p1 as uuid)))`,
    [REF],
  ),
  shape(
    'a schema put before the names',
    (db) => db.withSchema('app').selectFrom('app.orders').selectAll().where('amount', '=', 1),
    `select "id", "item_id", "name", "amount", pg_catalog.to_json(("at")) as "at" from "app"."orders" where "amount" = cast(:p1 as integer)`,
    ['1'],
  ),
  shape(
    'a select sorted by a column that is read as text',
    (db) => db.selectFrom('items').select(['id', 'lasts']).orderBy('lasts').limit(5),
    `select "rows_read"."id", cast("rows_read"."lasts" as text) as "lasts"
     from (select "id", "lasts" from "items" order by "lasts" limit :p1) as "rows_read"`,
    [5],
  ),
  shape(
    'distinct rows of a column that is read as text, from an expression that writes',
    (db) =>
      db
        .with('gone', (q) => q.deleteFrom('items').where('id', '=', 1n).returning('email'))
        .selectFrom('gone')
        .select('email')
        .distinct(),
    `with "gone" as (delete from "items" where "id" = cast(:p1 as bigint) returning "email")
     select cast("rows_read"."email" as text) as "email" from (select distinct "email" from "gone") as "rows_read"`,
    ['1'],
  ),
  shape(
    'a union of columns that are read as text',
    (db) =>
      db
        .selectFrom('items')
        .select(['email', 'at'])
        .union(db.selectFrom('app.orders').select((eb) => [eb.val('a@b').as('email'), 'at'])),
    `select cast("rows_read"."email" as text) as "email", pg_catalog.to_json(("rows_read"."at")) as "at"
     from (select "email", "at" from "items" union select cast(:p1 as citext) as "email", "at" as "at" from "app"."orders") as "rows_read"`,
    ['a@b'],
  ),
  shape(
    'a value that is any of a list',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where((eb) => eb('ref', '=', eb.fn.any(eb.val([REF])))),
    `select "id" from "items" where "ref" = any(cast(:p1 as uuid[]))`,
    [`{"${REF}"}`],
  ),
  shape(
    'the value of a column in a condition, as the column takes it',
    (db) =>
      db
        .selectFrom('items')
        .select('id')
        .where('id', '=', items.value('id', 5))
        .where('at', '<', items.value('at', new Date(0))),
    `select "id" from "items" where "id" = cast(:p1 as bigint) and "at" < cast(:p2 as timestamptz)`,
    ['5', '1970-01-01T00:00:00.000Z'],
  ),
  shape(
    'a path inside a json document set and taken away',
    (db) =>
      db
        .updateTable('items')
        .set((eb) => ({
          doc: eb.fn('jsonb_set', ['doc', eb.val(['a', '0']), eb.val({ b: 1 }), eb.val(true)]),
        }))
        .where((eb) => eb(eb.fn('jsonb_extract_path_text', ['doc', eb.val('a')]), '=', 'x')),
    `update "items" set "doc" = jsonb_set("doc", cast(:p1 as text[]), cast(:p2 as jsonb), cast(:p3 as boolean))
     where jsonb_extract_path_text("doc", cast(:p4 as text)) = :p5`,
    ['{"a","0"}', '{"b":1}', 'true', 'a', 'x'],
  ),
  shape(
    'functions of texts and numbers that want an integer',
    (db) =>
      db
        .selectFrom('items')
        .select((eb) => [
          eb.fn<string>('lpad', ['name', eb.val(5), eb.val('0')]).as('a'),
          eb.fn<string>('left', ['name', eb.val(1)]).as('b'),
          eb.fn<string>('split_part', ['name', eb.val(' '), eb.val(2)]).as('c'),
          eb.fn<string>('round', ['price', eb.val(1)]).as('d'),
          eb.fn<string>('substring', ['name', eb.val(2), eb.val(3)]).as('e'),
        ]),
    `select lpad("name", cast(:p1 as integer), cast(:p2 as text)) as "a", left("name", cast(:p3 as integer)) as "b",
     split_part("name", cast(:p4 as text), cast(:p5 as integer)) as "c", round("price", cast(:p6 as integer)) as "d",
     substring("name", cast(:p7 as integer), cast(:p8 as integer)) as "e" from "items"`,
    ['5', '0', '1', ' ', '2', '1', '2', '3'],
  ),
  shape(
    'functions of arrays',
    (db) =>
      db
        .updateTable('items')
        .set((eb) => ({ tags: eb.fn<string[]>('array_append', ['tags', eb.val('a')]) }))
        .where((eb) => eb(eb.fn<number>('array_position', ['tags', eb.val('a')]), 'is', null)),
    `update "items" set "tags" = array_append("tags", cast(:p1 as text)) where array_position("tags", cast(:p2 as text)) is null`,
    ['a', 'a'],
  ),
  shape(
    'window functions with values',
    (db) =>
      db.selectFrom('items').select((eb) => [
        eb.fn
          .agg<number>('lag', ['stock', eb.val(1), eb.val(0)])
          .over((over) => over.orderBy('id'))
          .as('before'),
        eb.fn
          .agg<number>('ntile', [eb.val(4)])
          .over((over) => over.orderBy('id'))
          .as('quarter'),
        eb.fn
          .agg<bigint>('row_number')
          .over((over) => over.partitionBy('mood').orderBy('id'))
          .as('n'),
      ]),
    `select lag("stock", cast(:p1 as integer), cast(:p2 as integer)) over(order by "id") as "before",
     ntile(cast(:p3 as integer)) over(order by "id") as "quarter",
     row_number() over(partition by "mood" order by "id") as "n" from "items"`,
    ['1', '0', '4'],
  ),
  shape(
    'days added to a date',
    (db) => db.updateTable('items').set((eb) => ({ day: eb('day', '+', sql<string>`${30}::integer`) })),
    `update "items" set "day" = "day" + :p1::integer`,
    [30],
  ),
  shape(
    'a query begun with db inside another one keeps the types of its columns',
    (db) =>
      db
        .insertInto('app.orders')
        .columns(['id', 'item_id', 'amount', 'at'])
        .expression(
          db
            .selectFrom('items')
            .select(['ref', 'id', 'stock', 'at'])
            .where('lasts', 'in', db.selectFrom('items').select('lasts').where('id', '=', 1n))
            .orderBy('at'),
        ),
    `insert into "app"."orders" ("id", "item_id", "amount", "at") select "rows_read"."ref", "rows_read"."id", "rows_read"."stock", "rows_read"."at" as "at"
     from (select "ref", "id", "stock", "at" from "items" where "lasts" in (select "lasts" as "lasts" from "items" where "id" = cast(:p1 as bigint)) order by "at") as "rows_read"`,
    ['1'],
  ),
  shape(
    'a list of values as a source',
    (db) => {
      const rows = [
        { id: 1, mood: 'sad' },
        { id: 2, mood: 'happy' },
      ] as const;
      const lines = rows.map(({ id, mood }) => sql`(${items.value('id', id)}, ${items.value('mood', mood)})`);
      const list = sql<{ id: bigint; mood: 'sad' | 'happy' }>`(values ${sql.join(lines)})`;
      return db
        .updateTable('items')
        .from(list.as<'v'>(sql`v(id, mood)`))
        .set((eb) => ({ mood: eb.ref('v.mood') }))
        .whereRef('v.id', '=', 'items.id');
    },
    `update "items" set "mood" = "v"."mood" from (values (cast(:p1 as bigint), cast(:p2 as "app"."mood")), (cast(:p3 as bigint), cast(:p4 as "app"."mood"))) as v(id, mood)
     where "v"."id" = "items"."id"`,
    ['1', 'sad', '2', 'happy'],
  ),
  shape(
    'a frame of a window',
    (db) =>
      db
        .selectFrom('items')
        .select(
          sql<string>`sum(stock) over (order by id rows between ${1}::integer preceding and current row)`.as(
            's',
          ),
        )
        .where('id', '>', 0n),
    `select sum(stock) over (order by id rows between :p1::integer preceding and current row) as "s" from "items" where "id" > cast(:p2 as bigint)`,
    [1, '0'],
  ),
];
