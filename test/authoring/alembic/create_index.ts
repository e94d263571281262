// Alembic: op.create_index('articles_author_id', 'articles', ['author_id'], postgresql_concurrently=True)
import { addIndex, migration } from 'forerun';

export const createIndex = migration({
  after: 'base',
  transaction: false,
  operations: [addIndex.with({ table: 'articles', name: 'articles_author_id', columns: ['author_id'] })],
});
