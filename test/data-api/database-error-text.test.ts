import { describe, expect, test } from 'vitest';
import { readDatabaseError } from '../../lambda/data-api/database-error-text.ts';

describe('an error of the database', () => {
  test.each([
    [
      'loses its detail, which holds row values',
      'ERROR: duplicate key value violates unique constraint "users_email_key"\n  Detail: Key (email)=(ada@example.org) already exists.; SQLState: 23505',
      [],
      'duplicate key value violates unique constraint "users_email_key"',
    ],
    [
      'keeps its hint',
      'ERROR: operator does not exist: uuid = text\n  Hint: No operator matches the given name.\n  Position: 40; SQLState: 42883',
      [],
      'operator does not exist: uuid = text (Hint: No operator matches the given name.)',
    ],
    [
      'hides what a data exception quotes',
      'ERROR: invalid input syntax for type uuid: "s3cret-token"\n  Position: 12; SQLState: 22P02',
      [],
      'invalid input syntax for type uuid: [value]',
    ],
    [
      'hides a quoted value with quotes inside',
      'ERROR: value "9""9" is out of range for type integer; SQLState: 22003',
      [],
      'value [value] is out of range for type integer',
    ],
    [
      'hides bound values that a trigger repeats',
      'ERROR: no such plan: gold-2026; SQLState: P0001',
      ['gold-2026', 'x'],
      'no such plan: [value]',
    ],
    ['is read on one line with semicolons too', 'ERROR: boom; Position: 3; SQLState: 42601', [], 'boom'],
  ])('%s', (_claim, text, bound, message) => {
    expect(readDatabaseError(text, bound).message).toBe(message);
  });

  test('tells its SQLSTATE, or that there is none', () => {
    expect(readDatabaseError('ERROR: boom; SQLState: 42601', []).sqlState).toBe('42601');
    expect(readDatabaseError('Database returned SQL Exception', []).sqlState).toBeUndefined();
  });
});
