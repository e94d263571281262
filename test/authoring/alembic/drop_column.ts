// Alembic: op.drop_column('articles', 'draft')
import { migration } from 'forerun';

export const dropColumn = migration({
  after: 'base',
  up: ({ op }) => op.execute('alter table articles drop column draft'),
  down: ({ op }) => op.execute('alter table articles add column draft boolean'),
});
