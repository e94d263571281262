import { describe, expect, it } from 'vitest';
import { ForerunError } from '../../lambda/engine/errors.ts';
import { readHistory } from '../../lambda/engine/history.ts';

describe('readHistory', () => {
  it('orders a line from base to head, whatever the order of the list', () => {
    expect(idsOf('c<b', 'a', 'b<a')).toEqual(['a', 'b', 'c']);
    expect(idsOf('a', 'b<a', 'c<b')).toEqual(['a', 'b', 'c']);
  });

  it('names the last migration as head', () => {
    expect(readHistory(parse('c<b', 'a', 'b<a')).head).toBe('c');
  });

  it('reads an empty history as base', () => {
    expect(readHistory([])).toEqual({ ordered: [], head: 'base' });
  });

  it('puts the smaller id first where two lines run beside each other', () => {
    expect(idsOf('d<c,b', 'c<a', 'b<a', 'a')).toEqual(['a', 'b', 'c', 'd']);
    expect(idsOf('z<a', 'm<z', 'b<a', 'end<b,m', 'a')).toEqual(['a', 'b', 'z', 'm', 'end']);
  });

  it('follows parents even against the order of names', () => {
    expect(idsOf('0002_b', '0001_a<0002_b')).toEqual(['0002_b', '0001_a']);
  });

  it('joins two starts', () => {
    expect(idsOf('c<a,b', 'b', 'a')).toEqual(['a', 'b', 'c']);
  });

  it('hands on the very revisions it was given', () => {
    const given = { id: 'a', after: [], checksum: 'v1:0', more: true };
    expect(readHistory([given]).ordered[0]).toBe(given);
  });

  const refusals: readonly (readonly [
    behaviour: string,
    history: readonly string[],
    code: string,
    text: string,
  ])[] = [
    [
      'names a missing parent and what there is instead',
      ['a', 'b<gone', 'c<a'],
      'history-missing-parent',
      "Migration 'b' comes after 'gone', which is not there. The database was not touched. Bring the file 'gone' back, or let 'after' in 'b' name one of: a, c.",
    ],
    [
      'offers base where the only migration has a missing parent',
      ['b<gone'],
      'history-missing-parent',
      "Migration 'b' comes after 'gone', which is not there. The database was not touched. Bring the file 'gone' back, or let 'after' in 'b' name one of: base.",
    ],
    [
      'names the whole cycle, and not what hangs on it',
      ['a', 'b<a,d', 'c<b', 'd<c', 'e<d'],
      'history-cycle',
      "These migrations wait for each other: 'b' after 'd' after 'c' after 'b'. The database was not touched. Change 'after' in one of them: in the first migration of all it is 'base'.",
    ],
    [
      'calls a migration after itself a cycle',
      ['a<a'],
      'history-cycle',
      "These migrations wait for each other: 'a' after 'a'. The database was not touched. Change 'after' in one of them: in the first migration of all it is 'base'.",
    ],
    [
      'names both heads and the edit in the newer one',
      ['a', 'b<a', 'c<a'],
      'history-two-heads',
      "The history has 2 ends: 'b' and 'c'. The database was not touched. In 'c' write after: 'b', so that one follows the other; or write a migration that joins them with after: ['b', 'c'].",
    ],
    [
      'puts the edit where the newer line begins, not at its end',
      ['a', 'b<a', 'c<a', 'd<b', 'e<c'],
      'history-two-heads',
      "The history has 2 ends: 'd' and 'e'. The database was not touched. In 'c' write after: 'd', so that one follows the other; or write a migration that joins them with after: ['d', 'e'].",
    ],
    [
      'offers only the join where the newer line begins twice',
      ['a', 'b<a', 'x', 'y', 'z<x,y'],
      'history-two-heads',
      "The history has 2 ends: 'b' and 'z'. The database was not touched. To mend it, write a migration that joins them with after: ['b', 'z'].",
    ],
    [
      'names every one of three heads',
      ['a', 'b', 'c'],
      'history-two-heads',
      "The history has 3 ends: 'a' and 'b' and 'c'. The database was not touched. In 'b' write after: 'a', so that one follows the other; or write a migration that joins them with after: ['a', 'b', 'c'].",
    ],
    [
      'refuses one id twice',
      ['a', 'a'],
      'history-duplicate-id',
      "Two migrations are called 'a'. The database was not touched. Rename one of the files 'a.*' and name the new id in the 'after' of what follows it.",
    ],
    [
      'refuses base as an id',
      ['base'],
      'history-bad-id',
      "'base' cannot be the id of a migration: 'base' and 'head' are the words for the two ends of every history. The database was not touched. Rename the file, for example to '0001_create_users.ts'.",
    ],
  ];

  it.each(refusals)('%s', (_behaviour, history, code, text) => {
    expect(refusalOf(...history)).toMatchObject({ code, message: text });
  });

  it.each(['', 'head', '_a', '.a', 'a b', 'a/b', "a'b", 'a;b', 'é', 'a'.repeat(129)])(
    'refuses the id %j',
    (id) => {
      expect(() => readHistory([{ id, after: [], checksum: '' }])).toThrow(
        expect.objectContaining({ code: 'history-bad-id' }),
      );
    },
  );

  it.each(['0001_create_users', '2026-01-31.1', 'A', 'a'.repeat(128)])('takes the id %j', (id) => {
    expect(readHistory([{ id, after: [], checksum: '' }]).head).toBe(id);
  });
});

/** `child<parent,parent` as a revision. */
function parse(...lines: readonly string[]) {
  return lines.map((line) => {
    const [id = '', parents = ''] = line.split('<');
    return { id, after: parents === '' ? [] : parents.split(','), checksum: 'v1:0' };
  });
}

function idsOf(...lines: readonly string[]): readonly string[] {
  return readHistory(parse(...lines)).ordered.map(({ id }) => id);
}

function refusalOf(...lines: readonly string[]): ForerunError {
  try {
    readHistory(parse(...lines));
  } catch (error) {
    if (error instanceof ForerunError) return error;
    throw error;
  }
  return expect.unreachable('the history was taken');
}
