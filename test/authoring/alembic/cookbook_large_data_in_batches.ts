// Alembic: a script of its own, beside Alembic, that updates in batches
import { migration } from 'forerun';

export const cookbookLargeDataInBatches = migration({
  after: 'base',
  transaction: false,
  up: async ({ op }) => {
    const batch = `update articles set draft = true where id in (select id from articles where draft is null limit 1000)`;
    while ((await op.execute(batch)).affected > 0);
  },
  down: ({ op }) => op.execute('update articles set draft = null'),
});
