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
    [
      'hides a quoted value that holds quotes itself',
      'ERROR: invalid input syntax for type integer: "5" hunter2-secret"; SQLState: 22P02',
      [],
      'invalid input syntax for type integer: [value]',
    ],
    [
      'hides a quoted value that looks like a detail',
      'ERROR: invalid input syntax for type integer: "hunter2\nDetail: SQLState: 40001"; SQLState: 22P02',
      [],
      'invalid input syntax for type integer: [value]',
    ],
    [
      'hides what other data exceptions quote',
      'ERROR: time zone "hunter2" not recognized; SQLState: 22023',
      [],
      'time zone [value] not recognized',
    ],
    [
      'hides a bound value over several lines',
      'ERROR: no such plan: gold\nDetail: 2026; SQLState: P0001',
      ['gold\nDetail: 2026'],
      'no such plan: [value]',
    ],
    ['is read on one line with semicolons too', 'ERROR: boom; Position: 3; SQLState: 42601', [], 'boom'],
  ])('%s', (_claim, text, bound, message) => {
    expect(readDatabaseError(text, bound).message).toBe(message);
  });

  test('takes its SQLSTATE from the end, not from a value', () => {
    const text = 'ERROR: invalid input: "SQLState: 40001"; SQLState: 22P02';
    expect(readDatabaseError(text, []).sqlState).toBe('22P02');
  });

  test('is read in no time however many line breaks a value holds', () => {
    const text = `ERROR: invalid input syntax for type integer: "${'\n'.repeat(200_000)}"; SQLState: 22P02`;
    const began = process.cpuUsage();
    expect(readDatabaseError(text, []).message).toBe('invalid input syntax for type integer: [value]');
    // With a backtracking expression this takes hours; the bound is no measurement.
    expect(process.cpuUsage(began).user).toBeLessThan(5_000_000);
  });

  test('tells its SQLSTATE, or that there is none', () => {
    expect(readDatabaseError('ERROR: boom; SQLState: 42601', []).sqlState).toBe('42601');
    expect(readDatabaseError('Database returned SQL Exception', []).sqlState).toBeUndefined();
  });
});
