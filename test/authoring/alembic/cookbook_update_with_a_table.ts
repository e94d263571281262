// Alembic: op.execute(articles.update().where(articles.c.price > 5).values(draft=False)) with an ad-hoc table()
import { boolean, migration, numeric, table } from 'forerun';

const articles = table('articles', { price: numeric(), draft: boolean().nullable() });

export const cookbookUpdateWithATable = migration({
  after: 'base',
  tables: { articles },
  up: ({ db }) => db.updateTable('articles').set({ draft: false }).where('price', '>', '5').execute(),
  down: ({ op }) => op.execute('update articles set draft = null'),
});
