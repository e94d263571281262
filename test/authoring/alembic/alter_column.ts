// Alembic: op.alter_column('articles', 'author_id', type_=sa.Numeric())
import { migration } from 'forerun';

export const alterColumn = migration({
  after: 'base',
  up: ({ op }) => op.execute('alter table articles alter column author_id type numeric'),
  down: ({ op }) => op.execute('alter table articles alter column author_id type bigint'),
});
