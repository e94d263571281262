import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  backfill,
  bigint,
  boolean,
  bytea,
  char,
  column,
  date,
  double,
  integer,
  interval,
  irreversible,
  json,
  jsonb,
  migration,
  numeric,
  real,
  smallint,
  sql,
  table,
  text,
  time,
  timestamp,
  timestamptz,
  timetz,
  uuid,
} from 'forerun';
import { historyOf } from '../authoring/history-of.ts';
import { startWorkplace, type Workplace } from './workplace.ts';

let place: Workplace;
beforeAll(async () => (place = await startWorkplace()));
afterAll(() => place.close());

const VALUES = {
  a: [smallint(), 'smallint', `-32768`],
  b: [bigint(), 'bigint', `9223372036854775807`],
  c: [numeric(), 'numeric(30,5)', `12345678901234567890.10000`],
  d: [real(), 'real', `0.1`],
  e: [double(), 'double precision', `'Infinity'`],
  f: [boolean(), 'boolean', `false`],
  g: [text(), 'text', `E'a"b\\\\c\\n\\u00e4 \\U0001F600'`],
  h: [char(5), 'char(5)', `'ab'`],
  i: [uuid(), 'uuid', `'6f2b1a0e-0000-4000-8000-000000000001'`],
  j: [date(), 'date', `'2026-01-31'`],
  k: [time(), 'time', `'03:04:05.123456'`],
  l: [timetz(), 'timetz', `'03:04:05+02'`],
  m: [timestamp(), 'timestamp', `'2026-01-31 03:04:05.1'`],
  n: [timestamptz(), 'timestamptz', `'2026-01-31 03:04:05.123456+05:30'`],
  o: [interval(), 'interval', `'1 day 2 hours'`],
  p: [json(), 'json', `'{"a": [1, null, "x"]}'`],
  q: [jsonb(), 'jsonb', `'null'`],
  r: [bytea(), 'bytea', `'\\x00ff'`],
  s: [text().array(), 'text[]', `'{a,NULL,"b c"}'`],
  t: [bigint().array(), 'bigint[]', `'{9007199254740993}'`],
  u: [column<number>('int4'), 'integer', `7`],
} as const;

const columns = Object.fromEntries(Object.entries(VALUES).map(([name, [type]]) => [name, type.nullable()]));
const things = table('thing', { id: bigint(), ...columns, done: integer().nullable() });

test('transform reads each type as a query does', async () => {
  const database = await place.freshDatabase();
  const read: unknown[] = [];
  let queried: readonly unknown[] = [];
  const definitions = Object.entries(VALUES).map(([name, [, type]]) => `${name} ${type}`);
  const result = await database.up(
    historyOf({
      '0001_create': migration({
        after: 'base',
        tables: { thing: things },
        async up({ db, op }) {
          await op.execute(
            `create table thing (id bigint primary key, ${definitions.join(', ')}, done integer)`,
          );
          const values = Object.values(VALUES).map(([, , value]) => value);
          await op.execute(`insert into thing values (1, ${values.join(', ')}, null)`);
          await op.execute('insert into thing (id) values (2)');
          queried = await db.selectFrom('thing').selectAll().orderBy('id').execute();
        },
        down: irreversible('a test'),
      }),
      '0002_fill': backfill({
        after: '0001_create',
        table: things,
        key: 'id',
        where: sql`done is null`,
        transform(row) {
          read.push(row);
          return { done: 1 };
        },
        hold: true,
        down: 'nothing to undo',
      }),
    }),
  );
  expect(result.error).toBeNull();
  expect(queried).toHaveLength(2);
  expect(read).toEqual(queried);
});
