// Alembic: op.drop_table_comment('bookings')
import { migration } from 'forerun';

export const dropTableComment = migration({
  after: 'base',
  up: ({ op }) => op.execute('comment on table bookings is null'),
  down: ({ op }) => op.execute(`comment on table bookings is 'Who comes when'`),
});
