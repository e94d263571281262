// Alembic: op.create_table_comment('articles', 'What we publish')
import { migration } from 'forerun';

export const createTableComment = migration({
  after: 'base',
  up: ({ op }) => op.execute(`comment on table articles is 'What we publish'`),
  down: ({ op }) => op.execute('comment on table articles is null'),
});
