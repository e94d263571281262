// Alembic: op.create_primary_key('bookings_pkey', 'bookings', ['id'])
import { migration } from 'forerun';

export const createPrimaryKey = migration({
  after: 'base',
  up: ({ op }) => op.execute('alter table bookings add constraint bookings_pkey primary key (id)'),
  down: ({ op }) => op.execute('alter table bookings drop constraint bookings_pkey'),
});
