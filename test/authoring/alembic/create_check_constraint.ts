// Alembic: op.create_check_constraint('articles_price', 'articles', 'price >= 0')
import { addCheck, migration } from 'forerun';

export const createCheckConstraint = migration({
  after: 'base',
  transaction: false,
  operations: [addCheck.with({ table: 'articles', name: 'articles_price', check: 'price >= 0' })],
});
