import { describe, expect, it } from 'vitest';
import { placeholders } from '../../../local/data-api/placeholders.ts';
import { sqlTokens } from '../../../local/data-api/sql-tokens.ts';

describe('sqlTokens', () => {
  it.each([
    '',
    "select 'open",
    'select "open',
    '/* open /* nested */',
    '$tag$ open $other$',
    "E'open\\",
    'a::b:::c: :1;;(])',
    'select 日本, :名',
    '--',
    '$',
  ])('gives back every character of %j', (sql) => {
    const tokens = [...sqlTokens(sql)];
    expect(tokens.map(({ text }) => text).join('')).toBe(sql);
  });
});

describe('placeholders', () => {
  it.each([
    ['select :a', 'select $1', ['a']],
    ['select :a, :a, :b', 'select $1, $2, $3', ['a', 'a', 'b']],
    ['select a::int, :b::int', 'select a::int, $1::int', ['b']],
    ['select x$y$:a, $y$ :b $y$', 'select x$y$$1, $y$ :b $y$', ['a']],
    [String.raw`select '\', :a, E'\', :b'`, String.raw`select '\', $1, E'\', :b'`, ['a']],
    ['select a[1:2]', 'select a[1$1]', ['2']],
    ["select u&'\\0441:x', :a", "select u&'\\0441:x', $1", ['a']],
    ['select 1e5:a', 'select 1e5$1', ['a']],
    ['a := :b', 'a := $1', ['b']],
  ])('turns %j into %j', (sql, text, names) => {
    expect(placeholders(sql)).toStrictEqual({ text, names });
  });

  it.each(['select 1;;', 'select 1; /* ; */ -- ;', 'create rule r as on insert to t do (a; b);'])(
    'takes %j as one statement',
    (sql) => {
      expect(placeholders(sql).text).toBe(sql);
    },
  );

  it.each([
    'select 1; select 2',
    ';select 1',
    'begin; commit',
    'select (1); x',
    'begin atomic select 1; end; x',
  ])('takes %j as more than one', (sql) => {
    expect(() => placeholders(sql)).toThrow(/Multistatements/u);
  });
});
