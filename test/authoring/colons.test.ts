import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from 'forerun';
import { createBuilder } from '../../lambda/authoring/dialect.ts';
import { createOperations, type Operations } from '../../lambda/authoring/operations.ts';
import { startDatabase } from './data-api.ts';

let op: Operations;
let stop: () => Promise<void>;

beforeAll(async () => {
  const { database, ...started } = await startDatabase();
  stop = () => started.stop();
  const tools = { inTransaction: true, progress: () => undefined };
  op = createOperations(database, { db: createBuilder(database, {}), tables: {} }, tools);
});

afterAll(() => stop());

/** An expression of PostgreSQL with colons or question marks, and what it gives as text. */
const EXPRESSIONS: readonly (readonly [expression: string, text: string])[] = [
  ["'12:30'::time", '12:30:00'],
  ["'2026-01-31 12:30:45+01:00'::timestamptz at time zone 'utc'", '2026-01-31 11:30:45'],
  [`'{"a":1}'::jsonb`, '{"a": 1}'],
  [`'{"a":1,"b":null}'::jsonb ? 'a'`, 'true'],
  [`'{"a":1}'::jsonb ?| array['x', 'a']`, 'true'],
  [`'{"a":1}'::jsonb ?& array['x', 'a']`, 'false'],
  [`'{"a":[1,2]}'::jsonb @? '$.a[*] ? (@ > 1)'`, 'true'],
  [`'{"a":{"b":2}}'::jsonb #>> '{a,b}'`, '2'],
  ["':name'", ':name'],
  ["'it''s :name, '':other'''", "it's :name, ':other'"],
  [String.raw`E'a\':name'`, "a':name"],
  ['$$ :name :: $1 $$', ' :name :: $1 '],
  ['$q$ $$ :name $q$', ' $$ :name '],
  ['(select "a:b" from (select 1 as "a:b") s)', '1'],
  ['1 /* :name ? ; */', '1'],
  ['(array[1,2,3])[1:2]', '{1,2}'],
  ['(array[1,2,3])[:2]', '{1,2}'],
  ['(array[1,2,3])[2:]', '{2,3}'],
  ['(select a[i:j] from (select array[1,2,3] as a, 2 as i, 3 as j) s)', '{2,3}'],
  [`json_object('a':1, 'b':'x')`, '{"a" : 1, "b" : "x"}'],
  ["int4range(1, 5) @> 3 and '[1,2]'::int4range << '[5,6]'::int4range", 'true'],
  ["to_char(timestamp '2026-01-02 03:04:05', 'HH24:MI:SS')", '03:04:05'],
];

describe('colons and question marks reach PostgreSQL unharmed', () => {
  test.each(EXPRESSIONS)('in plain SQL: %s', async (expression, text) => {
    expect(await op.query(`select (${expression})::text as v`)).toEqual([{ v: text }]);
  });

  test.each(EXPRESSIONS)('beside a named value: %s', async (expression, text) => {
    const rows = await op.query(`select (${expression})::text as v, :given as given`, { given: 'x' });
    expect(rows).toEqual([{ v: text, given: 'x' }]);
  });

  test.each(EXPRESSIONS)('in the sql template: %s', async (expression, text) => {
    const rows = await op.query(sql`select (${sql.raw(expression)})::text as v, ${'x'} as given`);
    expect(rows).toEqual([{ v: text, given: 'x' }]);
  });

  test.each(EXPRESSIONS)('in a script: %s', async (expression, text) => {
    const statements = [
      { line: 1, sql: 'create table if not exists seen (v text)' },
      { line: 2, sql: 'delete from seen where false' },
      { line: 3, sql: `insert into seen select (${expression})::text` },
    ];
    expect(await op.execute({ file: 'colons.sql', statements })).toEqual({ affected: 1 });
    expect(await op.query('select v from seen')).toEqual([{ v: text }]);
    await op.execute('drop table seen');
  });

  test('in the body of a function', async () => {
    await op.execute(`create or replace function pick(a int[]) returns text language plpgsql as $body$
declare found int := 0; -- :name
begin
  found := (a[1:2])[1];
  perform ':name', '{"a":1}'::jsonb ? 'a';
  return '12:30' || found::text;
end;
$body$;`);
    expect(await op.query("select pick('{7,8}') as v")).toEqual([{ v: '12:307' }]);
  });
});
