// Alembic: op.add_column(…, nullable=True); op.execute(update); op.alter_column(…, nullable=False)
import { migration } from 'forerun';

export const cookbookNotNullColumnWithData = migration({
  after: 'base',
  up: async ({ op }) => {
    await op.execute('alter table articles add column slug text');
    await op.execute('update articles set slug = lower(title)');
    await op.execute('alter table articles alter column slug set not null');
  },
  down: ({ op }) => op.execute('alter table articles drop column slug'),
});
