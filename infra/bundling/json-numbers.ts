import { placeAt } from './source-place.ts';
import { fileRefused, readTextFile } from './text-file.ts';

/** Texts, which may hold digits, and numbers. */
const TEXT_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Refuses an imported JSON file with a number that JavaScript would round without a word. */
export function refuseRoundedNumbers(path: string, directory: string): void {
  const file = readTextFile(path, directory);
  for (const { 0: token, index } of file.text.matchAll(TEXT_OR_NUMBER)) {
    if (token.startsWith('"') || isExact(token)) continue;
    const { line, column } = placeAt(file.text, index);
    throw fileRefused(
      `${file.shown}:${line}:${column}: this number has more digits than JavaScript keeps, and would be rounded`,
      'Write it as a string, in quotes: op.bulkInsert takes that for a bigint or numeric column.',
    );
  }
}

/** Whether the digits come back as they were written. */
function isExact(token: string): boolean {
  const value = Number(token);
  return Number.isFinite(value) && digitsOf(token) === digitsOf(String(value));
}

/** The same text for the same number: its significant digits and the power of ten of the last. */
function digitsOf(number: string): string {
  const [mantissa = '', power = '0'] = number.replace(/^-/, '').toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${significant}e${Number(power) - fraction.length + digits.length - significant.length}`;
}
