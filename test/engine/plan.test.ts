import { describe, expect, test } from 'vitest';
import type { JournalView } from '../../lambda/engine/journal.ts';
import type { Migration } from '../../lambda/engine/migration.ts';
import { aheadOf, makePlan, type Goal } from '../../lambda/engine/plan.ts';

const migration = (id: string, after: readonly string[], more: Partial<Migration> = {}): Migration => ({
  id,
  after,
  checksum: `v1:${id}`,
  atomic: 'group',
  up: () => Promise.resolve(),
  down: { kind: 'reversible', run: () => Promise.resolve() },
  ...more,
});

const line = [migration('a', []), migration('b', ['a']), migration('c', ['b'])];

const journal = (
  applied: readonly string[],
  more: Partial<JournalView> = {},
  history = line,
): JournalView => ({
  version: 1,
  token: 1n,
  revision: 1n,
  holder: null,
  appliedCount: applied.length,
  pending: new Set(history.map(({ id }) => id).filter((id) => !applied.includes(id))),
  changed: [],
  vanished: [],
  stale: new Set(),
  skipped: new Set(),
  foreign: [],
  unfinished: [],
  backfills: [],
  asked: null,
  overruled: false,
  ended: false,
  noted: false,
  ...more,
});

const up = (to = 'head', atomic: Goal['atomic'] = 'group'): Goal => ({ direction: 'up', to, atomic });
const down = (to: string): Goal => ({ direction: 'down', to, atomic: 'group' });

/** The plan as one word a group, or the codes of its refusals. */
function outline(history: readonly Migration[], view: JournalView, goal: Goal): string {
  const { groups, refusals } = makePlan(history, view, goal);
  if (refusals.length > 0) return `refused: ${refusals.map(({ code }) => code).join(' ')}`;
  return groups.map((group) => group.map(({ id }) => id).join('')).join(' ');
}

describe('a plan', () => {
  const forced = [line[0], migration('b', ['a'], { atomic: 'migration' }), line[2]].filter(
    (one) => one !== undefined,
  );
  const joined = [
    migration('a', []),
    migration('b', ['a']),
    migration('c', ['a']),
    migration('d', ['b', 'c']),
  ];
  const irreversible = [
    line[0],
    migration('b', ['a'], { down: { kind: 'irreversible', why: 'the old names are gone' } }),
    line[2],
  ].filter((one) => one !== undefined);

  test.each([
    ['puts all pending migrations into one group', line, journal([]), up(), 'abc'],
    ['leaves applied migrations out', line, journal(['a']), up(), 'bc'],
    ['is empty when all is applied', line, journal(['a', 'b', 'c']), up(), ''],
    ['stops at the named migration', line, journal([]), up('b'), 'ab'],
    ['gives every migration its own group on request', line, journal([]), up('head', 'migration'), 'a b c'],
    ['splits groups at a migration that wants its own', forced, journal([]), up(), 'a b c'],
    ['follows both parents of a join', joined, journal([], {}, joined), up('d'), 'abcd'],
    ['leaves a side line out that the target does not need', joined, journal([], {}, joined), up('c'), 'ac'],
    ['reverts newest first down to the named one', line, journal(['a', 'b', 'c']), down('a'), 'cb'],
    ['reverts everything down to base', line, journal(['a', 'b', 'c']), down('base'), 'cba'],
    ['reverts only what is applied', line, journal(['a', 'b']), down('base'), 'ba'],
    ['has nothing to revert at the named one', line, journal(['a']), down('a'), ''],
  ] as const)('%s', (_claim, history, view, goal, wanted) => {
    expect(outline(history, view, goal)).toBe(wanted);
  });

  test.each([
    ['a changed migration', line, journal(['a'], { changed: ['a'] }), up(), 'plan-changed'],
    [
      'a changed migration on the way down too',
      line,
      journal(['a'], { changed: ['a'] }),
      down('base'),
      'plan-changed',
    ],
    [
      'an applied migration that comes after our head',
      line,
      journal(['a', 'b', 'c'], { foreign: [{ id: 'd', after: ['c'], compatible: null }] }),
      up(),
      'plan-ahead',
    ],
    [
      'an applied migration whose parents nobody knows',
      line,
      journal(['a'], { foreign: [{ id: 'x', after: ['gone'], compatible: null }] }),
      up(),
      'plan-missing',
    ],
    ['a migration below an applied one', line, journal(['a', 'c']), up(), 'plan-late'],
    ['a target that is no migration', line, journal([]), up('z'), 'plan-unknown-target'],
    ['head as the target of down', line, journal([]), down('head'), 'plan-unknown-target'],
    [
      'to revert what cannot be reverted',
      irreversible,
      journal(['a', 'b', 'c']),
      down('a'),
      'plan-irreversible',
    ],
    ['a journal of a newer release', line, journal([], { version: 99 }), up(), 'journal-unreadable'],
  ] as const)('refuses %s', (_claim, history, view, goal, code) => {
    expect(outline(history, view, goal)).toBe(`refused: ${code}`);
  });

  test('goes down past a reversible migration above an irreversible one', () => {
    expect(outline(irreversible, journal(['a', 'b', 'c']), down('b'))).toBe('c');
  });

  test('says what happened, where the database stands and what to do', () => {
    const [refusal] = makePlan(line, journal(['a'], { changed: ['a'] }), up()).refusals;
    expect(refusal?.message).toBe(
      'Changed after being applied: a. The database was not touched. Restore the file as it was applied, and put the change into a new migration; if the change does not matter, accept it with {"action":"repair","reason":"…"}.',
    );
  });

  test('counts as ahead only what descends from our own head', () => {
    const foreign = [
      { id: 'e', after: ['d'], compatible: true },
      { id: 'd', after: ['c'], compatible: true },
      { id: 'x', after: ['w'], compatible: true },
    ];
    expect(aheadOf(line, journal(['a', 'b', 'c'], { foreign })).map(({ id }) => id)).toEqual(['d', 'e']);
  });
});
