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
});

function setUp(options: BulkInsertOptions = {}) {
  const { session, statements } = recordingSession({ affected: 1 });
  const said: string[] = [];
  const work = {
    session,
    table: things,
    options,
    tools: { progress: (message: string) => said.push(message) },
  };
  return { insert: (rows: Parameters<typeof bulkInsert>[1]) => bulkInsert(work, rows), statements, said };
}

describe('a bulk insert', () => {
  test('packs rows of one shape into one call as texts', async () => {
    const { insert, statements, said } = setUp();
    const result = await insert([
      { id: 9_007_199_254_740_993n, name: 'a "b"', doc: { n: 1 } },
      { id: 2, name: null, doc: jsonNull },
    ]);
    expect(result).toEqual({ rows: 1, calls: 1 });
    expect(statements).toEqual([
      {
        sql: [
          'insert into "app"."things" ("id", "name", "doc")',
          'select cast(r.cells ->> 0 as bigint), cast(r.cells ->> 1 as text), cast(r.cells ->> 2 as jsonb)',
          'from json_array_elements(cast(:rows as json)) as r(cells)',
        ].join('\n'),
        parameters: {
          rows: JSON.stringify([
            ['9007199254740993', 'a "b"', '{"n":1}'],
            ['2', null, 'null'],
          ]),
        },
        options: { rows: false },
      },
    ]);
    expect(said).toEqual(['app.things: rows inserted 1, calls 1']);
  });

  test('groups rows by their keys, so that an absent one gets its default', async () => {
    const { insert, statements } = setUp();
    await insert([{ id: 1 }, { id: 2, count: 3 }, { id: 4, count: undefined }]);
    expect(statements.map(({ parameters }) => parameters?.['rows'])).toEqual([
      '[["1"],["4"]]',
      '[["2","3"]]',
    ]);
  });

  test('passes over conflicts on request', async () => {
    const { insert, statements } = setUp({ onConflict: 'nothing' });
    await insert([{ id: 1 }]);
    expect(statements[0]?.sql).toMatch(/\non conflict do nothing$/);
  });

  test('sends nothing for no rows', async () => {
    const { insert, statements } = setUp();
    expect(await insert([])).toEqual({ rows: 0, calls: 0 });
    expect(statements).toEqual([]);
  });

  test('reads rows as they come and keeps every request below 4 MiB', async () => {
    const { insert, statements } = setUp();
    // Quotes and backslashes are escaped twice, letters outside ASCII take several bytes.
    const name = '"\\ä€'.repeat(20_000);
    async function* rows() {
      for (let id = 0; id < 30; id += 1) yield await Promise.resolve({ id, name });
    }
    const { calls } = await insert(rows());
    expect(calls).toBe(statements.length);
    expect(calls).toBeGreaterThan(1);
    for (const { sql, parameters } of statements) {
      const body = JSON.stringify({
        sql,
        parameters: [{ name: 'rows', value: { stringValue: parameters?.['rows'] } }],
      });
      expect(Buffer.byteLength(body)).toBeLessThan(4 * 1024 * 1024);
    }
    const sent = statements.flatMap(
      ({ parameters }) => JSON.parse(String(parameters?.['rows'])) as string[][],
    );
    expect(sent).toEqual(Array.from({ length: 30 }, (_, id) => [String(id), name]));
  });

  test('fills its calls', async () => {
    const { insert, statements } = setUp();
    const { calls } = await insert(Array.from({ length: 60_000 }, (_, id) => ({ id, name: 'x'.repeat(80) })));
    expect(calls).toBe(2);
    expect(String(statements[0]?.parameters?.['rows']).length).toBeGreaterThan(2.8 * 1024 * 1024);
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
    ['is larger than one call takes (3145728 bytes).', { id: 1, name: 'x'.repeat(3 * 1024 * 1024) }],
  ])('refuses a row that %s', async (why, row) => {
    const { insert, statements } = setUp();
    expect(await refusalOf(() => insert([{ id: 1 }, row]))).toBe(`rows-refused: Row 2 for app.things ${why}`);
    expect(statements).toEqual([]);
  });
});
