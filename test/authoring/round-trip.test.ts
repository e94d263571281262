import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bigint,
  boolean,
  bytea,
  char,
  cidr,
  citext,
  column,
  date,
  double,
  enumType,
  inet,
  integer,
  interval,
  json,
  jsonb,
  jsonNull,
  macaddr,
  numeric,
  real,
  smallint,
  table,
  text,
  time,
  timestamp,
  timestamptz,
  timetz,
  uuid,
  varchar,
  type NewRow,
} from 'forerun';
import { createBuilder } from '../../lambda/authoring/dialect.ts';
import { createOperations } from '../../lambda/authoring/operations.ts';
import type { Database } from '../../lambda/engine/ports.ts';
import { startDatabase } from './data-api.ts';

const values = table('app.values', {
  id: integer().defaulted(),
  text: text().nullable(),
  varchar: varchar(8).nullable(),
  char: char(4).nullable(),
  citext: citext().nullable(),
  smallint: smallint().nullable(),
  integer: integer().nullable(),
  bigint: bigint().nullable(),
  numeric: numeric().nullable(),
  money: numeric(10, 2).nullable(),
  real: real().nullable(),
  double: double().nullable(),
  boolean: boolean().nullable(),
  uuid: uuid().nullable(),
  date: date().nullable(),
  time: time().nullable(),
  timestamp: timestamp().nullable(),
  timestamptz: timestamptz().nullable(),
  interval: interval().nullable(),
  inet: inet().nullable(),
  bytea: bytea().nullable(),
  json: json().nullable(),
  jsonb: jsonb().nullable(),
  mood: enumType('app.Mood', ['sad', 'so "happy"']).nullable(),
  domain: column('app.positive').nullable(),
  range: column('int4range').nullable(),
  texts: text().nullable().array().nullable(),
  bigints: bigint().array().nullable(),
  numerics: numeric().array().nullable(),
  uuids: uuid().array().nullable(),
  booleans: boolean().array().nullable(),
  doubles: double().array().nullable(),
  moments: timestamptz().array().nullable(),
  documents: jsonb().array().nullable(),
  moods: enumType('app.Mood', ['sad', 'so "happy"']).array().nullable(),
  timetz: timetz().nullable(),
  cidr: cidr().nullable(),
  macaddr: macaddr().nullable(),
  cash: column('money').nullable(),
  xml: column('xml').nullable(),
  search: column('tsvector').nullable(),
  period: column('tstzrange').nullable(),
  bits: column('varbit').nullable(),
  place: column('point').nullable(),
  blobs: bytea().nullable().array().nullable(),
  days: date().array().nullable(),
  spans: interval().array().nullable(),
  networks: cidr().array().nullable(),
  grid: integer().array().array().nullable(),
  words: text().nullable().array().array().nullable(),
  big: bigint().array().array().nullable(),
});

const SCHEMA = [
  'create extension citext',
  'create schema app',
  `create type app."Mood" as enum ('sad', 'so "happy"')`,
  'create domain app.positive as integer check (value > 0)',
  `create table app.values (
    id integer primary key generated always as identity, text text, varchar varchar(8), char char(4), citext citext,
    smallint smallint, integer integer, bigint bigint, numeric numeric, money numeric(10, 2), real real,
    double double precision, boolean boolean, uuid uuid, date date, time time, timestamp timestamp,
    timestamptz timestamptz, interval interval, inet inet, bytea bytea, json json, jsonb jsonb, mood app."Mood",
    domain app.positive, range int4range, texts text[], bigints bigint[], numerics numeric[], uuids uuid[],
    booleans boolean[], doubles double precision[], moments timestamptz[], documents jsonb[], moods app."Mood"[],
    timetz timetz, cidr cidr, macaddr macaddr, cash money, xml xml, search tsvector, period tstzrange, bits varbit,
    place point, blobs bytea[], days date[], spans interval[], networks cidr[], grid integer[][], words text[][],
    big bigint[][])`,
];

type NewValues = Omit<NewRow<typeof values>, 'id'>;
type Name = keyof NewValues;

/** A value, and what comes back where that is not the same. */
const CASES: readonly (readonly [Name, unknown, unknown?])[] = [
  ['text', 'it\'s "quoted" \\ \n\t :p1 $1 ? — ä 漢 😀'],
  ['text', ''],
  ['text', null],
  ['varchar', 'ääääääää'],
  ['char', 'ab', 'ab  '],
  ['citext', 'AbC'],
  ['smallint', -32_768],
  ['integer', 2_147_483_647],
  ['bigint', 9_223_372_036_854_775_807n],
  ['bigint', -9_223_372_036_854_775_808n],
  ['bigint', 7, 7n],
  ['numeric', '12345678901234567890123456789012345678901.000000000000000000001'],
  ['numeric', 'NaN'],
  ['numeric', 0.1, '0.1'],
  ['numeric', 9_007_199_254_740_993n, '9007199254740993'],
  ['money', '1.005', '1.01'],
  ['real', 0.1],
  ['double', 0.1],
  ['double', 5e-324],
  ['double', -0],
  ['boolean', false],
  ['uuid', '6f2c1a52-5f5b-4f0c-9c1e-0a5b7c1d2e3f'],
  ['date', '2024-02-29'],
  ['time', '23:59:59.123456'],
  ['timestamp', '2026-01-02 03:04:05.123456'],
  ['timestamptz', '2026-01-02T03:04:05.123456Z'],
  ['timestamptz', '2026-01-02T05:04:05+02:00', '2026-01-02T03:04:05Z'],
  ['timestamptz', new Date('2026-01-02T03:04:05.006Z'), '2026-01-02T03:04:05.006Z'],
  ['interval', '1 day 02:00:00'],
  ['inet', '10.0.0.0/8'],
  ['bytea', Uint8Array.from([0, 1, 127, 128, 255])],
  ['bytea', new Uint8Array()],
  ['json', { b: 1, a: [true, null, 'x "y" \\'] }],
  ['json', 'a text'],
  ['jsonb', { n: 1.5, deep: { list: [[], {}] } }],
  ['jsonb', [1, 2]],
  ['jsonb', jsonNull, null],
  ['mood', 'so "happy"'],
  ['domain', '5', 5],
  ['range', '[1,5)'],
  ['texts', ['', 'NULL', 'a,b', '{}', 'q"\\', ' x ', null]],
  ['texts', []],
  ['bigints', [9_223_372_036_854_775_807n, -1n]],
  ['numerics', ['1.50', '-0.000000000000000000001']],
  ['uuids', ['6f2c1a52-5f5b-4f0c-9c1e-0a5b7c1d2e3f']],
  ['booleans', [true, false]],
  ['doubles', [0.1, -2.5]],
  ['moments', ['2026-01-02T03:04:05.123456Z']],
  ['documents', [{ a: 'x "y"' }, [1]]],
  ['moods', ['sad', 'so "happy"']],
  ['double', Number.NaN],
  ['double', Number.NEGATIVE_INFINITY],
  ['real', Number.POSITIVE_INFINITY],
  ['date', 'infinity'],
  ['date', '0044-03-15 BC'],
  ['timestamp', '-infinity'],
  ['timestamp', '2026-01-02 03:04:05'],
  ['timestamptz', 'infinity'],
  ['timestamptz', '2026-01-02T03:04:05.5Z'],
  ['timestamptz', '0001-01-01T00:00:00Z'],
  ['time', '24:00:00'],
  ['timetz', '03:04:05.123456+02'],
  ['interval', '-1 years -2 mons +3 days -04:05:06.789'],
  ['cidr', '10.0.0.0/8'],
  ['macaddr', '08:00:2b:01:02:03'],
  ['cash', '$1,234.50'],
  ['xml', '<a b="c">ä</a>'],
  ['search', "'a':1 'b':2"],
  ['period', '["2026-01-01 00:00:00+00",infinity)'],
  ['bits', '10110'],
  ['place', '(1.5,-2)'],
  ['uuid', '6F2C1A52-5F5B-4F0C-9C1E-0A5B7C1D2E3F', '6f2c1a52-5f5b-4f0c-9c1e-0a5b7c1d2e3f'],
  ['blobs', [Uint8Array.from([0, 255]), null]],
  ['days', ['2026-01-31', 'infinity']],
  ['moments', ['2026-01-02T03:04:05.123456Z', 'infinity']],
  ['spans', ['1 day 02:00:00']],
  ['networks', ['10.0.0.0/8']],
  [
    'grid',
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['grid', []],
  [
    'words',
    [
      ['a"', null],
      ['', 'NULL'],
    ],
  ],
  ['big', [[9_223_372_036_854_775_807n], [-1n]]],
];

function connect(database: Database) {
  const tables = { 'app.values': values };
  const db = createBuilder(database, tables);
  return {
    db,
    op: createOperations(database, { db, tables }, { inTransaction: true, progress: () => undefined }),
  };
}

async function newest(database: Database, name: Name): Promise<unknown> {
  const query = connect(database).db.selectFrom('app.values').select(name).orderBy('id', 'desc').limit(1);
  return (await query.executeTakeFirstOrThrow())[name];
}

describe('over the Data API', () => {
  let server: Awaited<ReturnType<typeof startDatabase>>;

  beforeAll(async () => {
    server = await startDatabase();
    for (const sql of SCHEMA) await server.database.execute({ sql }, { rows: false });
  });

  afterAll(async () => {
    await server.stop();
  });

  const cases = CASES.map(([name, value, back = value]) => ({ name, value, back }));
  describe.each(cases)('$name $value', ({ name, value, back }) => {
    const row: NewRow<typeof values> = { [name]: value };

    test('is inserted and read back exactly', async () => {
      await server.database.execute({ sql: 'truncate app.values' }, { rows: false });
      const { db } = connect(server.database);
      const [returned] = await db.insertInto('app.values').values(row).returning(name).execute();
      expect(returned?.[name]).toEqual(back);
      expect(await newest(server.database, name)).toEqual(back);
    });

    test('is updated exactly', async () => {
      const { db } = connect(server.database);
      await db.insertInto('app.values').values({ text: 'before' }).execute();
      await db.updateTable('app.values').set(row).execute();
      expect(await newest(server.database, name)).toEqual(back);
    });

    test('is inserted in bulk exactly', async () => {
      await server.database.execute({ sql: 'truncate app.values' }, { rows: false });
      const { op } = connect(server.database);
      expect(await op.bulkInsert(values, [row])).toMatchObject({ rows: 1, calls: 1 });
      expect(await newest(server.database, name)).toEqual(back);
    });

    // SQL's null equals nothing, and PostgreSQL has no equality for json.
    const hasNoEquality: readonly Name[] = ['json', 'xml', 'place'];
    test.skipIf(back === null || hasNoEquality.includes(name))('is found by itself', async () => {
      const { db } = connect(server.database);
      await db.insertInto('app.values').values(row).execute();
      const found = await db
        .selectFrom('app.values')
        .select('id')
        .where(name, '=', back as never)
        .execute();
      expect(found.length).toBeGreaterThan(0);
    });
  });

  test('a text is compared with citext without regard to case', async () => {
    const { db } = connect(server.database);
    await db.insertInto('app.values').values({ citext: 'Ada@Example.org' }).execute();
    const query = db.selectFrom('app.values').select('citext').where('citext', '=', 'ADA@example.ORG');
    expect(await query.execute()).toEqual([{ citext: 'Ada@Example.org' }]);
  });

  test('what is read as text is sorted and told apart as what it is', async () => {
    await server.database.execute({ sql: 'truncate app.values' }, { rows: false });
    const { db } = connect(server.database);
    const spans = ['10 days', '2 days', '1 mon'];
    await db
      .insertInto('app.values')
      .values([
        ...spans.map((span) => ({ interval: span })),
        { interval: '24:00:00', citext: 'A' },
        { interval: '1 day', citext: 'a' },
      ])
      .execute();
    const sorted = await db
      .selectFrom('app.values')
      .select('interval')
      .where('citext', 'is', null)
      .orderBy('interval')
      .execute();
    expect(sorted.map(({ interval: span }) => span)).toEqual(['2 days', '10 days', '1 mon']);
    const distinct = await db
      .selectFrom('app.values')
      .select(['interval', 'citext'])
      .where('citext', '=', 'A')
      .distinct()
      .execute();
    expect(distinct).toHaveLength(1);
    const inside = await db
      .selectFrom('app.values')
      .select('citext')
      .where(
        'interval',
        'in',
        db.selectFrom('app.values').select('interval').where('citext', '=', 'a').distinct(),
      )
      .execute();
    expect(inside).toHaveLength(2);
  });

  test('a moment is read in UTC, whatever the time zone of the session', async () => {
    const moment = '2026-07-02T03:04:05.123456Z';
    const transaction = await server.database.begin();
    await transaction.execute({ sql: "set local timezone = 'Asia/Kathmandu'" }, { rows: false });
    const db = createBuilder(transaction, { 'app.values': values });
    const row = { timestamptz: moment, moments: [moment] };
    const returned = await db
      .insertInto('app.values')
      .values(row)
      .returning(['timestamptz', 'moments'])
      .execute();
    await transaction.rollback();
    expect(returned).toEqual([row]);
  });

  test('a decimal is compared unrounded', async () => {
    const { db } = connect(server.database);
    await db.insertInto('app.values').values({ money: '77.01' }).execute();
    const query = db.selectFrom('app.values').select('money');
    expect(await query.where('money', '=', '77.005').execute()).toEqual([]);
    expect(await query.where('money', '=', '77.01').execute()).toEqual([{ money: '77.01' }]);
  });

  test.each(['insert', 'bulk insert'])(
    'a text too long for its column is refused, not cut, by an %s',
    async (way) => {
      const { db, op } = connect(server.database);
      const row = { varchar: 'nine char' };
      const sent =
        way === 'insert' ? db.insertInto('app.values').values(row).execute() : op.bulkInsert(values, [row]);
      await expect(sent).rejects.toMatchObject({ kind: 'sql', sqlState: '22001' });
    },
  );

  test('many rows with different keys get their defaults', async () => {
    await server.database.execute({ sql: 'truncate app.values restart identity' }, { rows: false });
    const { db, op } = connect(server.database);
    const rows = Array.from({ length: 3000 }, (_, n) =>
      n % 2 === 0 ? { integer: n } : { integer: n, text: 'odd' },
    );
    expect(await op.bulkInsert(values, rows)).toMatchObject({ rows: 3000, calls: 2 });
    const counted = await db
      .selectFrom('app.values')
      .select((eb) => ['text', eb.fn.countAll<bigint>().as('n'), eb.fn.max('integer').as('most')])
      .groupBy('text')
      .orderBy('most')
      .execute();
    expect(counted).toEqual([
      { text: null, n: 1500n, most: 2998 },
      { text: 'odd', n: 1500n, most: 2999 },
    ]);
  });

  test('rows that exist are passed over on request', async () => {
    await server.database.execute({ sql: 'create table app.keys (key text primary key)' }, { rows: false });
    const keys = table('app.keys', { key: text() });
    const { op } = connect(server.database);
    expect(await op.bulkInsert(keys, [{ key: 'a' }])).toMatchObject({ rows: 1, calls: 1 });
    const again = [{ key: 'a' }, { key: 'b' }];
    expect(await op.bulkInsert(keys, again, { onConflict: 'nothing' })).toMatchObject({ rows: 1, calls: 1 });
  });
});
