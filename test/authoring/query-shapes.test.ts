import { describe, expect, test } from 'vitest';
import { createBuilder } from '../../lambda/authoring/dialect.ts';
import { SHAPES } from './query-shapes.ts';
import { recordingSession } from './recording-session.ts';
import { shop } from './shop-tables.ts';

describe('the builder casts the values of', () => {
  test.each(SHAPES)('$name', async ({ query, sql, values }) => {
    const { session, statements } = recordingSession();
    await query(createBuilder(session, shop)).execute();
    expect(statements).toHaveLength(1);
    expect(statements[0]?.sql).toBe(sql);
    expect(Object.values(statements[0]?.parameters ?? {})).toEqual(values);
  });
});
