import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { refuseRoundedNumbers } from '../../../infra/bundling/json-numbers.ts';
import { folderOf } from '../folder.ts';
import { refusalTextOf } from './refusal-text.ts';

const look = (text: string): void => {
  const directory = folderOf({ 'rows.json': text });
  refuseRoundedNumbers(join(directory, 'rows.json'), directory);
};

describe('a .json file', () => {
  test.each([
    '0',
    '-0',
    '1.10',
    '0.1',
    '9007199254740991',
    '-9007199254740992',
    '1e21',
    '1E-7',
    '123.4500e2',
    '1e100',
  ])('may hold the number %s', (number) => {
    expect(() => look(`[${number}]`)).not.toThrow();
  });

  test('may hold any digits in texts, also behind escaped quotes', () => {
    expect(() => look(String.raw`{"12345678901234567890": "\"12345678901234567890\\"}`)).not.toThrow();
  });

  test.each([
    '9007199254740993',
    '-12345678901234567890',
    '0.12345678901234567890',
    '12345678.9012345678901',
    '1e400',
    '1e-400',
  ])('is refused with the number %s, and shows its place only', async (number) => {
    const { what, next } = await refusalTextOf(() => look(`[\n  { "a": ${number} }\n]`));
    expect(what).toBe(
      'migrations/rows.json:2:10: this number has more digits than JavaScript keeps, and would be rounded.',
    );
    expect(next).not.toContain(number);
  });
});
