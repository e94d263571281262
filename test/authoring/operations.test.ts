import { describe, expect, test } from 'vitest';
import { sql } from 'forerun';
import { createBuilder } from '../../lambda/authoring/dialect.ts';
import { createOperations } from '../../lambda/authoring/operations.ts';
import { recordingSession } from './recording-session.ts';
import { refusalOf } from './refusal.ts';
import { shop } from './shop-tables.ts';

function setUp(answer: Parameters<typeof recordingSession>[0] = {}) {
  const { session, statements } = recordingSession(answer);
  const db = createBuilder(session, shop);
  return {
    op: createOperations(session, { db, tables: shop }, { inTransaction: true, progress: () => undefined }),
    db,
    statements,
  };
}

describe('op.execute', () => {
  test('sends plain SQL as it stands and counts the rows', async () => {
    const { op, statements } = setUp({ affected: 2 });
    expect(await op.execute('update t set a = b -- why')).toEqual({ affected: 2 });
    expect(statements).toEqual([{ sql: 'update t set a = b -- why', options: { rows: false } }]);
  });

  test('binds values by name', async () => {
    const { op, statements } = setUp();
    const at = new Date('2026-01-02T03:04:05.006Z');
    await op.execute("update t set a = :a, b = ':b' where c < :c::timestamptz", { a: 1n, c: at });
    expect(statements[0]?.parameters).toEqual({ a: 1n, c: '2026-01-02T03:04:05.006Z' });
  });

  test.each([
    ['compared with items.email (citext)', 'delete from items where email = :who', 'citext'],
    ['compared with items.ref (uuid)', 'select id from items i where i.ref in (:who)', 'uuid'],
    ['given to items.doc (jsonb)', 'update items set doc = :who', 'jsonb'],
  ])('refuses a text by name that is %s', async (place, statement, type) => {
    const { op, statements } = setUp();
    const values = { who: 'a@b' };
    const refusals = [() => op.execute(statement, values), () => op.query(statement, values)];
    for (const refusal of refusals) {
      expect(await refusalOf(refusal)).toBe(
        `value-refused: The text :who is ${place}, and nothing says its type, so it would be bound as text.`,
      );
    }
    expect(statements).toEqual([]);
    await op.execute(statement.replace(':who', `:who::${type}`), values);
    await op.execute(statement.replace(':who', `cast(:who as ${type})`), values);
    expect(statements).toHaveLength(2);
  });

  test('takes the template and the builder', async () => {
    const { op, db, statements } = setUp();
    await op.execute(sql`delete from t where a = ${'x'}`);
    await op.execute(db.deleteFrom('items').where('id', '=', 1n));
    expect(statements).toEqual([
      { sql: 'delete from t where a = :p1', parameters: { p1: 'x' }, options: { rows: false } },
      {
        sql: 'delete from "items" where "id" = cast(:p1 as bigint)',
        parameters: { p1: '1' },
        options: { rows: false },
      },
    ]);
  });

  test.each([
    ['select b[1:2], b[2:], b[:2], b[1 :n]', 'select b[1: 2], b[2:], b[: 2], b[1 : n]'],
    ['select b[i:j], b[:j]', 'select b[i: j], b[: j]'],
    ['select json_object(\'a\':b, c:1, "d":(e))', 'select json_object(\'a\': b, c: 1, "d":(e))'],
    ['select \'1:2\', a::text, $$ :b $$, ":c" /* :d */ -- :e\n', undefined],
    ["do $body$ begin perform '12:30'::time; a := b; end $body$", undefined],
  ])('parts colons that are none of a placeholder from what follows: %s', async (text, sent) => {
    const { op, statements } = setUp();
    await op.execute(text);
    await op.execute(`${text}, :v`, { v: 1 });
    expect(statements.map(({ sql }) => sql)).toEqual([sent ?? text, `${sent ?? text}, :v`]);
  });

  test('refuses a placeholder of the template’s text, which no value can reach', async () => {
    const { op, statements } = setUp();
    const refusal = 'value-refused: The placeholder :id has no value.';
    expect(await refusalOf(() => op.execute(sql`delete from t where id = :id and a = ${1}`))).toBe(refusal);
    expect(await refusalOf(() => op.execute(sql`delete from t where id = :id`))).toBe(refusal);
    expect(statements).toEqual([]);
  });

  test('takes a name that has a value for a placeholder everywhere', async () => {
    const { op, statements } = setUp();
    await op.execute('select b[:from : :to], b[1:n]', { from: 1, to: 2 });
    expect(statements[0]?.sql).toBe('select b[:from : :to], b[1: n]');
  });

  test('sends a script statement by statement, each with its place, and adds up the rows', async () => {
    const { op, statements } = setUp({ affected: 2 });
    const script = {
      file: 'data/a*b:c.sql',
      statements: [
        { line: 1, sql: 'delete from t' },
        { line: 7, sql: "update t set a = b[1:2], c = ':x'" },
      ],
    };
    expect(await op.execute(script)).toEqual({ affected: 4 });
    expect(statements).toEqual([
      { sql: '/* data/a_b_c.sql line 1 */ delete from t', options: { rows: false } },
      { sql: "/* data/a_b_c.sql line 7 */ update t set a = b[1: 2], c = ':x'", options: { rows: false } },
    ]);
  });

  test('holds the rows of a whole script against what was expected', async () => {
    const { op } = setUp({ affected: 2 });
    const script = { file: 'a.sql', statements: [{ line: 1, sql: 'delete from t' }] };
    expect(await op.execute(script, { expect: { rows: 2 } })).toEqual({ affected: 2 });
    expect(await refusalOf(() => op.execute(script, { expect: { rows: 3 } }))).toBe(
      'check-failed: A statement was expected to change 3 rows and changed 2: a.sql',
    );
  });

  test.each([
    ['select :a', undefined, 'value-refused: The placeholder :a has no value.'],
    ['select :a', {}, 'value-refused: The placeholder :a has no value.'],
    ['select :a', { b: 1 }, 'value-refused: The placeholder :a has no value.'],
    ['select :a', { A: 1 }, 'value-refused: The placeholder :a has no value.'],
    ['select (:a), b =:c', { a: 1 }, 'value-refused: The placeholder :c has no value.'],
    ['select a::b', { b: 1 }, 'value-refused: The value "b" has no placeholder :b.'],
    ['select $$ :a $$', { a: 1 }, 'value-refused: The value "a" has no placeholder :a.'],
    ['select :a', { a: 1, b: 1 }, 'value-refused: The value "b" has no placeholder :b.'],
    ["select ':a'", { a: 1 }, 'value-refused: The value "a" has no placeholder :a.'],
  ])('refuses %j with the values %j', async (text, values, refusal) => {
    const { op, statements } = setUp();
    expect(await refusalOf(() => (values === undefined ? op.execute(text) : op.execute(text, values)))).toBe(
      refusal,
    );
    expect(statements).toEqual([]);
  });
});

describe('op.query', () => {
  test('gives back rows', async () => {
    const { op, statements } = setUp({ rows: [{ n: 3n }] });
    expect(await op.query<{ n: bigint }>('select count(*) as n from t')).toEqual([{ n: 3n }]);
    expect(statements[0]?.options).toEqual({ rows: true });
  });
});
