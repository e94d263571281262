import { expect, test } from 'vitest';
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
    ['Shop-MigrationsRunner', { note: 'backfill', backfill: '0012_fill_slug', state: 'enqueued' }],
    ['Shop-MigrationsRunner', { note: 'handed-on', backfill: '0012_fill_slug' }],
    ['Shop-MigrationsWorker', { note: 'backfill', backfill: '0012_fill_slug', state: 'succeeded' }],
    ['Shop-MigrationsWorker', { note: 'backfill', backfill: '0013_fill_more', state: 'paused' }],
  ] as const;
  for (const [functionName, note] of notes) {
    watch.line({ at: 0, functionName, version: '1', line: JSON.stringify(note) });
  }
  expect(said).toEqual([
    'the runner takes up 0012_fill_slug',
    'the worker goes on with 0012_fill_slug',
    'all rows of 0012_fill_slug are done',
    '0013_fill_more is paused',
  ]);
});
