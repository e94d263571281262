import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCsvFile } from '../../../infra/bundling/csv-file.ts';
import { folderOf } from '../folder.ts';
import { refusalTextOf } from './refusal-text.ts';

const read = (text: string | Uint8Array): ReturnType<typeof readCsvFile> => {
  const directory = folderOf({ 'countries.csv': text });
  return readCsvFile(join(directory, 'countries.csv'), directory);
};

describe('a .csv file', () => {
  test.each([
    ['plain fields', 'a,b\n1,x\n', [['1', 'x']]],
    ['no line end at its end', 'a,b\n1,x', [['1', 'x']]],
    ['no row', 'a,b\n', []],
    [
      'an empty field, which is null',
      'a,b\n,x\n1,\n',
      [
        [null, 'x'],
        ['1', null],
      ],
    ],
    ['an empty field in quotes, which is the empty text', 'a,b\n"",""\n', [['', '']]],
    [
      'commas, quotes and line breaks in quotes',
      'a,b\n"x,y","he said ""no""\n2"\n',
      [['x,y', 'he said "no"\n2']],
    ],
    ['blanks, which stay', 'a,b\n x , y\n', [[' x ', ' y']]],
    ['line ends of Windows and a byte order mark', '\uFEFFa,b\r\n1,"x\r\ny"\r\n', [['1', 'x\ny']]],
    ['words that look like null, numbers and dates, which stay texts', 'a,b\nnull,007\n', [['null', '007']]],
    ['letters of all kinds', 'a,b\nCôte d’Ivoire,😀\n', [['Côte d’Ivoire', '😀']]],
  ])('is read with %s', (_what, text, rows) => {
    expect(read(text)).toEqual({ columns: ['a', 'b'], rows });
  });

  test('of one column reads an empty line as null', () => {
    expect(read('a\n1\n\n2\n')).toEqual({ columns: ['a'], rows: [['1'], [null], ['2']] });
  });

  test.each([
    ['too few fields', 'a,b\n1,2\n3\n', ':3: the row has 1 field, the first line has 2 fields.'],
    ['too many fields', 'a,b\n1,2,3\n', ':2: the row has 3 fields, the first line has 2 fields.'],
    ['an empty line', 'a,b\n\n1,2\n', ':2: the row has 1 field, the first line has 2 fields.'],
    [
      'too few fields behind a row of two lines',
      'a,b\n"1\n2",3\n4\n',
      ':4: the row has 1 field, the first line has 2 fields.',
    ],
    [
      'an unfinished quote, at its beginning',
      'a,b\n"x ""y""",2\n3,"4 ""\n5,6\n7,8\n',
      ':3: a field begins with a quote and never ends.',
    ],
    [
      'text behind a quote',
      'a,b\n"1"x,2\n',
      ':2: something stands between the closing quote of a field and the next comma.',
    ],
    [
      'a quote inside a bare field',
      'a,b\n1,5" pipe\n',
      ':2: a quote stands inside a field that does not begin with one.',
    ],
    ['nothing in it', '', ':1: the names of the columns are missing.'],
    ['a column without a name', 'a,,c\n1,2,3\n', ':1: column 2 has no name.'],
    ['two columns of one name', 'a,b,a\n', ":1: two columns are called 'a'."],
    ['a blank before a name', 'a, b\n1,2\n', ":1: blanks stand around the name of column 2, 'b'."],
    ['semicolons for commas', 'a;b\n1;2\n', ':1: there is no comma in it.'],
    ['the character U+0000', 'a,b\n1,\u0000\n', ':2: the character U+0000 stands there.'],
    ['another encoding', Uint8Array.of(0x61, 0x0a, 0xff), ' is not UTF-8.'],
  ])('is refused with %s', async (_what, text, what) => {
    expect((await refusalTextOf(() => read(text))).what).toBe(`migrations/countries.csv${what}`);
  });

  test('never shows a value in a refusal', async () => {
    const { what, next } = await refusalTextOf(() => read('a,b\n"hunter2"x,2\n'));
    expect(`${what} ${next}`).not.toContain('hunter2');
  });

  test('is refused when the bundle would become too large, with the way for such files', async () => {
    const refusal = await refusalTextOf(() => read(`a\n${'x'.repeat(8 * 1024 * 1024)}`));
    expect(refusal.what).toContain('8,388,610 characters');
    expect(refusal.next).toContain('S3');
  });
});
