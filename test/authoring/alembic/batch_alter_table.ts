// Alembic: with op.batch_alter_table('articles') as batch: batch.add_column(…); batch.alter_column(…)
import { migration } from 'forerun';

export const batchAlterTable = migration({
  after: 'base',
  up: ({ op }) =>
    op.execute('alter table articles add column subtitle text, alter column price set not null'),
  down: ({ op }) => op.execute('alter table articles drop column subtitle, alter column price drop not null'),
});
