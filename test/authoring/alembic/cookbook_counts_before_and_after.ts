// Alembic: assert op.get_bind().scalar(select(func.count()).select_from(articles)) == 20
import { migration } from 'forerun';

export const cookbookCountsBeforeAndAfter = migration({
  after: 'base',
  up: async ({ op, check }) => {
    await check('all articles are there', 'select from articles', { rows: 20 });
    await op.execute('delete from articles where price > 15', { expect: { rows: 5 } });
  },
  down: async ({ op }) => {
    await op.execute(`insert into articles select n, 'Title ' || n, 1, n from generate_series(16, 20) n`);
  },
});
