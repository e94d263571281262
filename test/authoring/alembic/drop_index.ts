// Alembic: op.drop_index('bookings_during', postgresql_concurrently=True)
import { addIndex, migration } from 'forerun';

export const dropIndex = migration({
  after: 'base',
  transaction: false,
  up: ({ op }) => op.undo(addIndex, { table: 'bookings', name: 'bookings_during', columns: ['during'] }),
  down: ({ op }) => op.use(addIndex, { table: 'bookings', name: 'bookings_during', columns: ['during'] }),
});
