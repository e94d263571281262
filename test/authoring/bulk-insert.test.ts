import { describe, expect, test } from 'vitest';
import { bigint, integer, jsonb, jsonNull, table, text, type BulkInsertOptions } from 'forerun';
import { bulkInsert } from '../../lambda/authoring/bulk-insert.ts';
import { recordingSession } from './recording-session.ts';
import { refusalOf } from './refusal.ts';

const things = table('app.things', {
  id: bigint(),
  name: text().nullable(),
  doc: jsonb().nullable(),
  count: integer().defaulted(),
  sum: integer().generated(),
});

function setUp(options: BulkInsertOptions = {}) {
  const { session, statements } = recordingSession({ affected: 1 });
  const said: string[] = [];
  const work = {
    session,
    table: things,
    options,
    tools: { inTransaction: true, progress: (message: string) => said.push(message) },
  };
  return { insert: (rows: Parameters<typeof bulkInsert>[1]) => bulkInsert(work, rows), statements, said };
}

const LIMIT = 4 * 1024 * 1024;

/** The whole request, with names as long as the service allows. */
function requestBytes({
  sql,
  parameters = {},
}: {
  sql: string;
  parameters?: Readonly<Record<string, unknown>>;
}): number {
  const body = JSON.stringify({
    resourceArn: 'r'.repeat(570),
    secretArn: 's'.repeat(570),
    transactionId: 't'.repeat(192),
    database: 'd'.repeat(64),
    sql,
    parameters: Object.entries(parameters).map(([name, value]) => ({ name, value: { stringValue: value } })),
  });
  return Buffer.byteLength(body) + 8 * 1024;
}

describe('a bulk insert', () => {
  test('packs rows of one shape into one call, a text for each column', async () => {
    const { insert, statements, said } = setUp();
    const result = await insert([
      { id: 9_007_199_254_740_993n, name: 'a "b"', doc: { n: 1 } },
      { id: 2, name: null, doc: jsonNull },
    ]);
    expect(result).toEqual({ rows: 1, inserted: 1, updated: 0, passedOver: 1, calls: 1 });
    const arrays = [
      "string_to_array(:c0, chr(127), '')",
      "string_to_array(:c1, chr(127), '')",
      `string_to_array(translate(:c2, '"~', '~"'), chr(127), '')`,
    ];
    expect(statements).toEqual([
      {
        sql: [
          '/* rows 1 to 2 */ insert into "app"."things" as t ("id", "name", "doc")',
          'select cast(r.c0 as bigint), cast(r.c1 as text), cast(r.c2 as jsonb)',
          `from unnest(${arrays.join(', ')}) with ordinality as r(c0, c1, c2, at) where r.at > 1`,
        ].join('\n'),
        rowOfKey: expect.any(Function),
        parameters: {
          c0: '\u007f9007199254740993\u007f2',
          c1: '\u007fa "b"\u007f',
          c2: '\u007f{~n~:1}\u007fnull',
        },
        options: { rows: false },
      },
    ]);
    expect(said).toEqual(['app.things: rows inserted 1, passed over 1, calls 1']);
  });

  test('groups rows by their keys, so that an absent one gets its default', async () => {
    const { insert, statements } = setUp();
    await insert([{ id: 1 }, { id: 2, count: 3 }, { id: 4, count: undefined }, { count: 6, id: 5 }]);
    expect(statements.map(({ parameters }) => parameters)).toEqual([
      { c0: '\u007f1\u007f4' },
      { c0: '\u007f2\u007f5', c1: '\u007f3\u007f6' },
    ]);
  });

  test('passes over conflicts on request', async () => {
    const { insert, statements } = setUp({ onConflict: 'nothing' });
    await insert([{ id: 1 }]);
    expect(statements[0]?.sql).toMatch(/\non conflict do nothing$/);
  });

  test('sends no more rows a call than it may', async () => {
    const { insert, statements } = setUp({ rowsPerCall: 2 });
    await insert([{ id: 1 }, { id: 2, name: 'a' }, { id: 3 }, { id: 4 }, { id: 5, name: 'b' }]);
    expect(statements.map(({ parameters }) => parameters?.['c0'])).toEqual([
      '\u007f1\u007f3',
      '\u007f2\u007f5',
      '\u007f4',
    ]);
    expect(await refusalOf(() => setUp({ rowsPerCall: 0 }).insert([]))).toBe(
      'rows-refused: "rowsPerCall" for app.things must be a whole number from 1.',
    );
  });

  test('sends nothing for no rows', async () => {
    const { insert, statements } = setUp();
    expect(await insert([])).toEqual({ rows: 0, inserted: 0, updated: 0, passedOver: 0, calls: 0 });
    expect(statements).toEqual([]);
  });

  test.each([
    ['letters that take several bytes', '"\\ä€'],
    ['characters that JSON writes as six', '\u0001'],
    ['the character that parts values', '\u007f'],
    ['words that part values where that character is taken', '\u007f0;\u007f1;\u007f2;'],
  ])('reads rows as they come and keeps every request below 4 MiB: %s', async (_, part) => {
    const { insert, statements } = setUp();
    // Short and long values, so that what stands between values counts, too.
    const names = ['', part, part.repeat(60_000)];
    async function* rows() {
      for (let id = 0; id < 600; id += 1) yield await Promise.resolve({ id, name: names[id % 3] });
    }
    const { calls } = await insert(rows());
    expect(calls).toBe(statements.length);
    expect(calls).toBeGreaterThan(1);
    for (const statement of statements) expect(requestBytes(statement)).toBeLessThan(LIMIT);
  });

  test('splits a call whose values part only by a longer word', async () => {
    const { insert, statements } = setUp();
    const short = Array.from({ length: 110_000 }, (_, id) => ({
      id: id % 10,
      name: id === 0 ? '\u007f' : 'a'.repeat(34),
    }));
    await insert(short);
    expect(statements.length).toBeGreaterThan(1);
    for (const statement of statements) expect(requestBytes(statement)).toBeLessThan(LIMIT);
  });

  test.each([
    ['short values', (id: number) => ({ id, name: `n${id}`, doc: null, count: id })],
    [
      'a document',
      (id: number) => ({ id, name: `name ${id}`, doc: { kind: 'a', tags: ['x', 'y'], n: id }, count: id }),
    ],
    [
      'a page of text',
      (id: number) => ({ id, name: 'It was a dark night. '.repeat(30), doc: null, count: id }),
    ],
  ])('takes at most 1.2 times the calls that the bytes of the values need: %s', async (_, rowOf) => {
    const { insert, statements } = setUp();
    const rows = Array.from({ length: 100_000 }, (_unused, id) => rowOf(id));
    const { calls } = await insert(rows);
    const raw = rows.reduce(
      (sum, { id, name, doc, count }) =>
        sum +
        String(id).length +
        name.length +
        (doc === null ? 0 : JSON.stringify(doc).length) +
        String(count).length,
      0,
    );
    expect(calls).toBeLessThanOrEqual(1.2 * Math.ceil(raw / LIMIT));
    for (const statement of statements) expect(requestBytes(statement)).toBeLessThan(LIMIT);
  });

  test('holds no more rows than one request takes', async () => {
    const { insert, statements } = setUp();
    let most = 0;
    function* rows() {
      for (let id = 0; id < 400; id += 1) {
        const sent = statements.reduce(
          (sum, { parameters }) => sum + String(parameters?.['c0']).split('\u007f').length - 1,
          0,
        );
        most = Math.max(most, id - sent);
        yield { id, name: 'x'.repeat(100_000) };
      }
    }
    await insert(rows());
    // 41 such rows fill a request.
    expect(most).toBeLessThanOrEqual(42);
  });

  test.each([
    ['has a column "nmae" that table() does not declare.', { id: 1, nmae: 'secret' }],
    ['names no column.', {}],
    [
      'cannot be sent. A value for app.things.count (integer) must be a whole number (a bigint beyond 2^53).',
      { id: 1, count: 1.5 },
    ],
    [
      'cannot be sent. A value for app.things.name (text) must be text without the character U+0000 and without half surrogate pairs, which PostgreSQL cannot store.',
      { id: 1, name: 'secret\u0000' },
    ],
    [
      'cannot be sent. A value for app.things.doc (jsonb) must be text without the character U+0000 and without half surrogate pairs, which PostgreSQL cannot store.',
      { id: 1, doc: { a: ['secret\u0000'] } },
    ],
    [
      'cannot be sent. A value for app.things.doc (jsonb) must be a value that JSON can hold (no bigint, no circle).',
      { id: 1, doc: { n: 1n } },
    ],
    ['has null in "id", which table() does not declare as nullable().', { id: null }],
    ['has no value for the column "id".', { name: 'secret' }],
    ['has a value for "sum", which the database computes.', { id: 1, sum: 1 }],
    ['is no object of columns and values.', null],
    ['is no object of columns and values.', 'id'],
    ['is larger than one call takes (4 MiB).', { id: 1, name: 'x'.repeat(LIMIT) }],
  ])('refuses a row that %s', async (why, row) => {
    const { insert, statements } = setUp();
    expect(await refusalOf(() => insert([{ id: 1 }, row as object]))).toBe(
      `rows-refused: Row 2 for app.things ${why}`,
    );
    expect(statements).toEqual([]);
  });

  test('refuses a row of more columns than a statement can name', async () => {
    const { session, statements } = recordingSession();
    const columns = Object.fromEntries(Array.from({ length: 1600 }, (_, n) => [`column_${n}`, bigint()]));
    const wide = {
      session,
      table: table('wide', columns),
      options: {},
      tools: { inTransaction: true, progress: () => undefined },
    };
    const row = Object.fromEntries(Object.keys(columns).map((name) => [name, 1]));
    expect(await refusalOf(() => bulkInsert(wide, [row]))).toBe(
      'rows-refused: Row 1 for wide names 1600 columns, too many for one statement (64 Ki characters).',
    );
    expect(statements).toEqual([]);
  });

  test('refuses rows that are no list', async () => {
    const { insert, statements } = setUp();
    expect(await refusalOf(() => insert({ id: 1 } as never))).toBe(
      'rows-refused: The rows for app.things are no array, iterable or async iterable.',
    );
    expect(statements).toEqual([]);
  });
});
