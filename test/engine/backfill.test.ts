import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { verdictOn } from '../../lambda/engine/backfill/failure.ts';
import { compared, keyCondition } from '../../lambda/engine/backfill/key-conditions.ts';
import { progressOf, progressText } from '../../lambda/engine/backfill/progress.ts';
import { MOST_ROWS, shrunk, sized, startingSize, type Sizing } from '../../lambda/engine/backfill/sizing.ts';
import { EDGES, edgeFrom, type BackfillState } from '../../lambda/engine/backfill/states.ts';
import { DatabaseFailure } from '../../lambda/engine/database-failure.ts';
import { isAlone, judged } from '../../lambda/engine/backfill/throttle.ts';

const took = (rows: number, milliseconds: number) => ({ rows, milliseconds });

describe('the size of a batch', () => {
  const many = (count: number, rows: number, milliseconds: number) =>
    Array.from({ length: count }, () => took(rows, milliseconds));

  test.each<[why: string, before: Sizing, seen: number, tookMs: number, rows: number]>([
    ['doubles at most while batches are quick', startingSize(500), 500, 5, 1_000],
    ['grows only as far as the cost of its rows allows', startingSize(500), 500, 400, 625],
    ['shrinks freely toward the target', startingSize(1_000), 1_000, 1_000, 500],
    [
      'follows the ninth slowest of the last ten, not a single slow one',
      { rows: 1_000, batches: [took(1_000, 900), ...many(8, 1_000, 500)] },
      1_000,
      500,
      1_000,
    ],
    [
      'shrinks when two of the last ten were slow',
      { rows: 1_000, batches: [...many(2, 1_000, 1_000), ...many(7, 1_000, 500)] },
      1_000,
      500,
      500,
    ],
    [
      'does not take what a call costs in itself for a cost of the rows',
      { rows: 4_000, batches: [took(500, 40), took(1_000, 45), took(2_000, 50)] },
      4_000,
      60,
      8_000,
    ],
    [
      'keeps the caution of batches half as large',
      { rows: 4_000, batches: [took(2_000, 500)] },
      4_000,
      400,
      2_000,
    ],
    ['stays below its ceiling', startingSize(MOST_ROWS), MOST_ROWS, 1, MOST_ROWS],
    ['learns nothing from a window without keys', startingSize(50), 0, 9_000, 50],
  ])('%s', (_why, before, seen, tookMs, rows) => {
    expect(sized(before, seen, tookMs, 500).rows).toBe(rows);
  });

  test('falls to a tenth at once when a batch took more than five times the target, and forgets', () => {
    expect(sized(startingSize(5_000), 5_000, 2_600, 500)).toEqual({ rows: 500, batches: [] });
    expect(shrunk(5)).toEqual({ rows: 1, batches: [] });
  });

  test('remembers ten batches', () => {
    expect(sized({ rows: 10, batches: many(10, 10, 1) }, 10, 1, 500).batches).toHaveLength(10);
  });

  test('reaches the size that fits after seven batches, whatever a call costs', () => {
    let size = startingSize(500);
    for (let batch = 0; batch < 7; batch += 1) size = sized(size, size.rows, 25 + size.rows * 0.012, 500);
    expect(size.rows).toBeGreaterThan(30_000);
    expect(25 + size.rows * 0.012).toBeLessThan(550);
  });
});

describe('a failure of the database', () => {
  test.each([
    ['25006', 'unable'],
    ['53100', 'unable'],
    ['53300', 'unable'],
    ['57P01', 'unable'],
    ['58030', 'unable'],
    ['53200', 'too-large'],
    ['53400', 'too-large'],
    ['57014', 'too-large'],
    ['40001', 'conflict'],
    ['22012', 'rows'],
    ['XX001', 'rows'],
  ])('with SQLSTATE %s is %s', (sqlState, verdict) => {
    expect(verdictOn(new DatabaseFailure({ ran: 'failed', kind: 'sql', message: '', sqlState }))).toBe(
      verdict,
    );
  });
});

describe('the states', () => {
  const states: readonly BackfillState[] = [
    'enqueued',
    'running',
    'paused',
    'failed',
    'cancelled',
    'succeeded',
  ];

  test('lead by each move to one other state at most, and every edge says why', () => {
    const seen = EDGES.map(({ from, by, to }) => `${from} ${by}${by === 'trouble' ? ` ${to}` : ''}`);
    expect(new Set(seen).size).toBe(seen.length);
    expect(EDGES.every(({ from, to, says }) => from !== to && /^[A-Z].*\.$/.test(says))).toBe(true);
  });

  test('all can be reached, and only one has no way out without a deploy', () => {
    const reached = new Set<BackfillState>(['enqueued', ...EDGES.map(({ to }) => to)]);
    expect([...reached].toSorted()).toEqual(states.toSorted());
    const ways = EDGES.filter(({ by }) => by !== 'deploy');
    expect(states.filter((state) => !ways.some(({ from }) => from === state))).toEqual(['succeeded']);
  });

  test('stand in the docs, each edge with its sentence', () => {
    const page = readFileSync(new URL('../../docs/backfills.md', import.meta.url), 'utf8');
    const cells = page
      .split('\n')
      .filter((line) => /^\| `\w+` +\| `\w+` +\| `\w+` +\|/.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    expect(cells.map((row) => row.slice(1, -1))).toEqual(
      EDGES.map(({ from, to, by, says }) => [`\`${from}\``, `\`${to}\``, `\`${by}\``, says]),
    );
  });

  test('never start again by themselves', () => {
    for (const state of ['paused', 'failed', 'cancelled', 'succeeded'] as const) {
      expect(edgeFrom(state, 'work')).toBeUndefined();
    }
  });
});

describe('the progress', () => {
  test('adds up the rates of all ranges, and tells what is left', () => {
    const open = {
      total: 10_000,
      scanned: 4_000,
      recent: [
        [
          [0, 0],
          [10_000, 2_000],
        ],
        [
          [5_000, 0],
          [10_000, 500],
        ],
      ],
    } as const;
    expect(progressOf(open)).toEqual({ share: 0.4, rowsPerSecond: 300, etaSeconds: 20 });
  });

  test('leaves out ranges that nobody has worked on for a minute while others were', () => {
    const left = [
      [0, 0],
      [5_000, 9_000],
    ] as const;
    const worked = [
      [60_000, 9_000],
      [70_000, 10_000],
    ] as const;
    expect(progressOf({ total: 20_000, scanned: 19_000, recent: [left, worked] }).rowsPerSecond).toBe(100);
  });

  test('says no more than is known', () => {
    expect(progressOf({ total: null, scanned: 5, recent: [[[0, 5]]] })).toEqual({
      share: null,
      rowsPerSecond: null,
      etaSeconds: null,
    });
    const open = {
      id: 'x',
      state: 'running',
      checksum: '',
      hold: false,
      claimed: true,
      captured: false,
      reason: null,
      ranges: 1,
      ended: 0,
    } as const;
    expect(progressText({ ...open, total: null, scanned: 1_234, recent: [] })).toBe('1,234 rows done');
    expect(
      progressText({
        ...open,
        total: 100,
        scanned: 41,
        recent: [
          [
            [0, 0],
            [1_000, 1],
          ],
        ],
      }),
    ).toBe('41% done, about 59 seconds left');
  });
});

describe('conditions on a key', () => {
  test('of several columns also compare the first alone', () => {
    expect(compared(['a', 'b'], '>', ['1', '2'])).toBe('((a, b) > (1, 2) and a >= 1)');
    expect(compared(['a'], '<=', ['1'])).toBe('a <= 1');
  });

  test('bind texts and cast them back', () => {
    const key = [{ name: 'id', column: '"id"', type: 'uuid' }];
    expect(keyCondition(['"t"."id"'], '>', key, ['x'], 'c')).toEqual({
      sql: '"t"."id" > cast(:c0 as uuid)',
      parameters: { c0: 'x' },
    });
    expect(keyCondition(['"t"."id"'], '>', key, null, 'c').sql).toBe('true');
  });
});

describe('the load of the database', () => {
  const limits = { activeSessions: 25, oldestTransactionSeconds: 3_600 };
  const calm = { active: 2, lately: 0, waiting: 0, hidden: 0, oldest: 3, lag: null };

  test.each([
    [{ active: 26 }, '26 other sessions are at work'],
    [{ waiting: 6 }, '6 sessions wait for locks'],
    [{ oldest: 7_200 }, 'a transaction has been open for 120 minutes'],
    [{ lag: 30 }, 'a replica is 30 seconds behind'],
  ])('holds the work at %o', (more, why) => {
    expect(judged({ ...calm, ...more }, limits)).toBe(why);
  });

  test('holds it by the limits of the backfill', () => {
    const wide = { activeSessions: 200, oldestTransactionSeconds: 86_400 };
    expect(judged({ ...calm, active: 200, oldest: 86_400 }, wide)).toBeNull();
    expect(judged({ ...calm, active: 201 }, wide)).toBe('201 other sessions are at work');
    expect(judged({ ...calm, oldest: 86_460 }, wide)).toBe('a transaction has been open for 1441 minutes');
  });

  test('lets it go on otherwise', () => {
    expect(judged(calm, limits)).toBeNull();
  });

  test.each([
    [{}, true],
    [{ lately: 1 }, false],
    [{ hidden: 1 }, false],
  ])('tells whether anybody else is there to be spared: %o', (more, alone) => {
    expect(isAlone({ ...calm, ...more })).toBe(alone);
  });
});
