import { expect, test } from 'vitest';
import { openStage, openTheatre } from './stage.ts';

const create = `
import { irreversible, migration } from 'forerun';
export default migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table note (id bigint primary key, body text not null, words int)');
    await op.execute("insert into note select g, repeat('word ', (g % 5)::int + 1), null from generate_series(1, 700) g");
  },
  down: irreversible('a test'),
});
`;

const count = `
import { backfill, bigint, integer, sql, table, text } from 'forerun';
const note = table('note', { id: bigint(), body: text(), words: integer().nullable() });
export default backfill({
  after: '0001_note',
  table: note,
  key: 'id',
  where: sql\`words is null\`,
  transform: ({ body }) => ({ words: body.trim().split(' ').length }),
  down: 'nothing to undo',
});
`;

const strict = `
import { irreversible, migration } from 'forerun';
export default migration({
  after: '0002_count',
  needs: ['0002_count'],
  up: ({ op }) => op.execute('alter table note alter column words set not null'),
  down: irreversible('a test'),
});
`;

test('a backfill goes through the bundle and a whole deploy, and what needs it comes after it', async () => {
  const postgres = await openTheatre();
  const stage = await openStage(postgres);
  try {
    const first = await stage.deploy('first', { '0001_note.ts': create, '0002_count.ts': count });
    expect(first.reason).toBeUndefined();
    expect(await stage.rows('select count(*)::int as counted from note where words = id % 5 + 1')).toEqual([
      { counted: 700 },
    ]);
    const second = await stage.deploy('second', {
      '0001_note.ts': create,
      '0002_count.ts': count,
      '0003_strict.ts': strict,
    });
    expect(second.reason).toBeUndefined();
    expect(await stage.rows('select state from forerun.backfill')).toEqual([{ state: 'succeeded' }]);
  } finally {
    await stage.close();
    await postgres.stop();
  }
});
