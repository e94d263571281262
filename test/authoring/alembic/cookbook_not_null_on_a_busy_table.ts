// Alembic: op.alter_column('articles', 'price', nullable=False) while the app writes
import { addNotNull, migration } from 'forerun';

export const cookbookNotNullOnABusyTable = migration({
  after: 'base',
  transaction: false,
  operations: [addNotNull.with({ table: 'articles', column: 'price' })],
});
