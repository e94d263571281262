// Alembic: op.add_column('articles', sa.Column('subtitle', sa.Text()))
import { migration } from 'forerun';

export const addColumn = migration({
  after: 'base',
  up: ({ op }) => op.execute('alter table articles add column subtitle text'),
  down: ({ op }) => op.execute('alter table articles drop column subtitle'),
});
