import { expect, test } from 'vitest';
import { module, openStage, openTheatre } from './stage.ts';

test('a deploy whose runner may not commit fails in bounded time, names action and resource, and leaves nothing behind', async () => {
  const postgres = await openTheatre();
  const stage = await openStage(postgres);
  try {
    const result = await stage.deploy(
      'r1',
      { '0001_notes.ts': module('base', ['create table notes (body text)']) },
      {},
      // The runner asks again for as long as its time lets it, a minute at most: a new grant is not known everywhere at once.
      { runnerSeconds: 45, lacks: 'rds-data:CommitTransaction' },
    );
    expect(result.status).toBe('ROLLBACK_COMPLETE');
    expect(result.reason).toMatch(
      /not authorized to perform: rds-data:CommitTransaction on resource: arn:aws:rds:/,
    );
    expect(result.reason).toMatch(/rolled back\. .*Log: /s);
  } finally {
    await stage.close();
    await postgres.stop();
  }
}, 120_000);
