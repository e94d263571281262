// Alembic: op.create_foreign_key('articles_author', 'articles', 'users', ['author_id'], ['id'])
import { addForeignKey, migration } from 'forerun';

export const createForeignKey = migration({
  after: 'base',
  transaction: false,
  operations: [
    addForeignKey.with({
      table: 'articles',
      name: 'articles_author',
      columns: ['author_id'],
      references: { table: 'users', columns: ['id'] },
    }),
  ],
});
