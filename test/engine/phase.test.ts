import { describe, expect, test } from 'vitest';
import type { ForeignMigration, JournalView } from '../../lambda/engine/journal.ts';
import type { Migration, Phase } from '../../lambda/engine/migration.ts';
import { makePlan } from '../../lambda/engine/plan.ts';

/** `b1` runs before the app, `a2` after it; further members as given. */
const migration = (id: string, after: readonly string[], more: Partial<Migration> = {}): Migration => ({
  id,
  after,
  checksum: `v1:${id}`,
  atomic: 'group',
  ...(id.startsWith('a') ? { phase: 'after' } : {}),
  up: () => Promise.resolve(),
  down: { kind: 'reversible', run: () => Promise.resolve() },
  ...more,
});

/** Each stands on the one before it. */
const line = (...ids: readonly string[]): readonly Migration[] =>
  ids.map((id, at) => migration(id, ids.slice(Math.max(0, at - 1), at)));

interface Standing {
  readonly applied?: readonly string[];
  readonly foreign?: readonly ForeignMigration[];
  readonly fresh?: boolean;
}

const journal = (history: readonly Migration[], standing: Standing): JournalView => {
  const { applied = [], foreign = [], fresh = applied.length === 0 } = standing;
  return {
    version: 1,
    token: 1n,
    revision: 1n,
    holder: null,
    appliedCount: applied.length + foreign.length,
    fresh,
    pending: new Set(history.map(({ id }) => id).filter((id) => !applied.includes(id))),
    changed: [],
    vanished: [],
    stale: new Set(['view']),
    skipped: new Set(),
    foreign,
    unfinished: [],
    backfills: [],
    asked: null,
    overruled: false,
    ended: false,
    noted: false,
  };
};

interface Ask extends Standing {
  readonly phase?: Phase;
  readonly environment?: string;
  readonly to?: string;
  readonly repeatables?: readonly Migration[];
}

/** What would run, and behind a bar what waits; or the codes of the refusals. */
function outline(history: readonly Migration[], ask: Ask): string {
  const { phase, environment, to = 'head', repeatables, ...standing } = ask;
  const goal = {
    direction: 'up' as const,
    to,
    atomic: 'group' as const,
    ...(phase === undefined ? {} : { phase }),
    ...(environment === undefined ? {} : { environment }),
  };
  const { groups, waiting, refusals } = makePlan(history, journal(history, standing), goal, repeatables);
  if (refusals.length > 0) return `refused: ${refusals.map(({ code }) => code).join(' ')}`;
  const steps = groups.map((group) => group.map(({ id }) => id).join(' ')).join(' / ');
  return waiting.length === 0 ? steps : `${steps} | ${waiting.join(' ')}`;
}

const before = (applied: readonly string[], more: Ask = {}): Ask => ({ applied, phase: 'before', ...more });
const after = (applied: readonly string[], more: Ask = {}): Ask => ({ applied, phase: 'after', ...more });

/** Two lines that join: `b2` and `a3` do not stand on each other. */
const fork = [
  migration('b1', []),
  migration('a2', ['b1']),
  migration('b3', ['b1']),
  migration('a4', ['a2', 'b3']),
];

const view = migration('view', [], { repeatable: true });

describe('a run before the app is live', () => {
  test.each([
    ['leaves after-migrations waiting', line('b1', 'b2', 'a3'), before(['b1']), 'b2 | a3'],
    ['has nothing to do when only they are left', line('b1', 'a2'), before(['b1']), ' | a2'],
    ['takes what does not stand on them', fork, before(['b1']), 'b3 | a2 a4'],
    ['goes past those that are applied', line('b1', 'a2', 'b3'), before(['b1', 'a2']), 'b3'],
    [
      'runs repeatables, which the app counts on',
      line('b1', 'a2'),
      before(['b1'], { repeatables: [view] }),
      'view | a2',
    ],
    ['stops at its target', line('b1', 'b2', 'a3', 'a4'), before([], { to: 'a3' }), 'b1 b2 | a3'],
  ])('%s', (_claim, history, ask, wanted) => {
    expect(outline(history, ask)).toBe(wanted);
  });

  test('refuses what stands on a pending after-migration, however far below, with the way out', () => {
    const history = line('b1', 'a2', 'b3', 'b4');
    expect(outline(history, before(['b1']))).toBe('refused: plan-phase plan-phase');
    const goal = { direction: 'up', to: 'head', atomic: 'group', phase: 'before' } as const;
    const [refusal] = makePlan(history, journal(history, { applied: ['b1'] }), goal).refusals;
    expect(refusal?.message).toBe(
      `b3 stands on a2, which is pending and runs only once the app is live (phase: 'after'). The database was not touched. Deploy in two steps: first the release that ends with a2, then b3. If no older app reads what a2 takes away, {"action":"up"} by hand applies both in order; or let a2 stand after b3 in the history.`,
    );
  });

  test('refuses what needs a backfill that begins only after the app', () => {
    const filled = migration('a2', ['b1'], { needs: [] });
    const history = [
      migration('b1', []),
      filled,
      migration('b3', ['b1'], { needs: ['a2'] }),
      migration('b4', ['a2', 'b3']),
    ];
    expect(outline(history, before(['b1']))).toContain('plan-phase');
  });

  test('takes on a fresh database what belongs to releases long past, and leaves the end waiting', () => {
    expect(outline(line('b1', 'a2', 'b3', 'a4'), before([]))).toBe('b1 a2 b3 | a4');
  });

  test('goes on so where the first run of a fresh database stopped half way', () => {
    expect(outline(line('b1', 'a2', 'b3', 'a4'), before(['b1'], { fresh: true }))).toBe('a2 b3 | a4');
  });

  test('takes what another environment is meant for as nothing to wait for', () => {
    const history = [
      migration('b1', []),
      migration('a2', ['b1'], { environments: ['test'] }),
      migration('b3', ['a2']),
    ];
    expect(outline(history, before(['b1'], { environment: 'live' }))).toBe('a2 b3');
    expect(outline(history, before(['b1', 'a2'], { environment: 'live' }))).toBe('b3');
  });

  test('refuses at once what the run after it could not do', () => {
    const history = [
      migration('b1', []),
      migration('b2', ['b1']),
      migration('a3', ['b2'], { environments: ['test'] }),
    ];
    expect(outline(history, before(['b1']))).toBe('refused: input-invalid');
  });

  test('of an older release is told apart although after-migrations were left', () => {
    const foreign = [{ id: 'b9', after: ['b1'], compatible: true }];
    expect(outline(line('b1', 'a2'), before(['b1'], { foreign }))).toBe('refused: plan-ahead');
    expect(outline(line('b1', 'b2'), before(['b1'], { foreign }))).toBe('refused: plan-missing');
  });
});

describe('a run after the app is live', () => {
  test.each([
    ['takes what is left, of several deploys', line('b1', 'b2', 'a3', 'a4'), after(['b1', 'b2']), 'a3 a4'],
    ['is not late behind before-migrations that do not stand on it', fork, after(['b1', 'b3']), 'a2 a4'],
    ['has nothing to do when nothing is left', line('b1', 'a2'), after(['b1', 'a2']), ''],
    ['leaves repeatables alone', line('b1', 'a2'), after(['b1', 'a2'], { repeatables: [view] }), ''],
    ['refuses what stands on pending before-migrations', line('b1', 'a2'), after([]), 'refused: plan-phase'],
    [
      'is late below an applied migration as any other',
      line('b1', 'a2', 'b3'),
      after(['b1', 'b3']),
      'refused: plan-late',
    ],
  ])('%s', (_claim, history, ask, wanted) => {
    expect(outline(history, ask)).toBe(wanted);
  });
});

test('a person applies both phases, in the order of the history', () => {
  expect(outline(line('b1', 'a2', 'b3', 'a4'), { applied: ['b1'] })).toBe('a2 b3 a4');
});

test.each([
  ['both phases, newest first', line('b1', 'b2', 'a3'), 'a3 b2 b1'],
  ['in the order in which a deploy ran them', fork, 'a4 a2 b3 b1'],
  ['never what something still stands on', line('b1', 'a2', 'b3', 'a4'), 'a4 b3 a2 b1'],
])('the way down takes %s', (_claim, history, wanted) => {
  const applied = history.map(({ id }) => id);
  const goal = { direction: 'down', to: 'base', atomic: 'group' } as const;
  const { groups } = makePlan(history, journal(history, { applied }), goal);
  expect(
    groups
      .flat()
      .map(({ id }) => id)
      .join(' '),
  ).toBe(wanted);
});
