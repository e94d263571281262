// Alembic: op.create_exclude_constraint('no_overlap', 'bookings', (column('during'), '&&'), using='gist')
import { migration } from 'forerun';

export const createExcludeConstraint = migration({
  after: 'base',
  up: ({ op }) =>
    op.execute('alter table bookings add constraint no_overlap exclude using gist (during with &&)'),
  down: ({ op }) => op.execute('alter table bookings drop constraint no_overlap'),
});
