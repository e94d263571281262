import { expect, test } from 'vitest';
import type { Played } from '../../cli/commands/rehearse/play.ts';
import { tellVerdict } from '../../cli/commands/rehearse/verdict.ts';
import { narrator } from '../../cli/rehearsal/narrate.ts';
import { watchRuns } from '../../cli/rehearsal/watch-runs.ts';

test('a rehearsal tells who works on a backfill, and when it is done', () => {
  const said: string[] = [];
  const watch = watchRuns(
    () => 0,
    narrator(
      (line) => said.push(line.trim()),
      () => 'other',
    ),
  );
  const notes = [
    ['Shop-MigrationsRunner', { note: 'began', migration: '0012_fill_slug' }],
    ['Shop-MigrationsRunner', { note: 'statement' }],
    ['Shop-MigrationsRunner', { note: 'backfill', backfill: '0012_fill_slug', state: 'enqueued' }],
    ['Shop-MigrationsRunner', { note: 'handed-on', backfill: '0012_fill_slug' }],
    ['Shop-MigrationsWorker', { note: 'backfill', backfill: '0012_fill_slug', state: 'succeeded' }],
    ['Shop-MigrationsWorker', { note: 'backfill', backfill: '0013_fill_more', state: 'paused' }],
    ['Shop-MigrationsRunner', { note: 'ended', outcome: 'partial', steps: [], error: null }],
  ] as const;
  for (const [functionName, note] of notes) {
    watch.line({ at: 0, functionName, version: '1', line: JSON.stringify(note) });
  }
  expect(said).toEqual([
    // Before what comes of it.
    `· ${'0012_fill_slug'.padEnd(34)} 1 statement`,
    'the runner takes up 0012_fill_slug',
    'the worker goes on with 0012_fill_slug',
    'all rows of 0012_fill_slug are done',
    '0013_fill_more is paused',
    'ended on the way: what it has done before stands (0 Data API calls)',
  ]);
});

test('a rehearsal tells which backfills a deploy leaves behind, and who goes on with them', () => {
  const database = {
    construct: 'Shop/Migrations',
    head: '0003_last',
    applied: ['0001_first', '0002_fill', '0003_last'],
    pending: [],
    ahead: [],
    undone: [
      { id: '0002_fill', state: 'running', reason: null, share: 0.7 },
      { id: '0003_last', state: 'paused', reason: 'SQLSTATE 22012 at notes (id) = (41)', share: 0.1 },
    ],
    worker: true,
  } as const;
  const stack = {
    stack: 'Shop',
    status: 'CREATE_COMPLETE',
    place: null,
    kind: 'created',
    reason: null,
  } as const;
  const told = (worker: boolean): readonly string[] => {
    const lines: string[] = [];
    const stacks = [{ ...stack, databases: [{ ...database, worker }] }] as unknown as Played['stacks'];
    tellVerdict([{ failedBefore: null, stacks, unmet: [], denied: [], passedOver: [] }], (line) =>
      lines.push(line),
    );
    return lines;
  };
  expect(told(true)).toEqual([
    '',
    'Stack Shop: CREATE_COMPLETE',
    '  Shop/Migrations: 3 migrations applied, up to 0003_last; the database is where the release in use',
    '  expects it (0003_last)',
    '  0002_fill is not done yet (70 %): on AWS the worker goes on with it, and forerun backfill watch shows',
    '  how far it is.',
    '  0003_last is paused: SQLSTATE 22012 at notes (id) = (41). Mend it, and rehearse again: on AWS it would',
    '  stop there, too.',
    'The deploy would go through. Nothing was sent to AWS, and nothing is left running.',
  ]);
  expect(told(false)[4]).toContain('on AWS forerun backfill work goes on with it, or the next');
});
