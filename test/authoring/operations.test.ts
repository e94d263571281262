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
    op: createOperations(session, db, { inTransaction: true, progress: () => undefined }),
    db,
    statements,
  };
}

describe('op.execute', () => {
  test('sends plain SQL as it stands and counts the rows', async () => {
    const { op, statements } = setUp({ affected: 2 });
    expect(await op.execute('update t set a = b[1:2]')).toEqual({ affected: 2 });
    expect(statements).toEqual([{ sql: 'update t set a = b[1:2]', options: { rows: false } }]);
  });

  test('binds values by name', async () => {
    const { op, statements } = setUp();
    const at = new Date('2026-01-02T03:04:05.006Z');
    await op.execute("update t set a = :a, b = ':b' where c < :c::timestamptz", { a: 1n, c: at });
    expect(statements[0]?.parameters).toEqual({ a: 1n, c: '2026-01-02T03:04:05.006Z' });
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
    ['select :a', { b: 1 }, 'value-refused: The placeholder :a has no value.'],
    ['select :a', { a: 1, b: 1 }, 'value-refused: The value "b" has no placeholder :b.'],
    ["select ':a'", { a: 1 }, 'value-refused: The value "a" has no placeholder :a.'],
  ])('refuses %j with the values %j', async (text, values, refusal) => {
    const { op, statements } = setUp();
    expect(await refusalOf(() => op.execute(text, values))).toBe(refusal);
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
