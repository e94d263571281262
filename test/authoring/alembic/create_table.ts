// Alembic: op.create_table('tags', sa.Column('id', sa.BigInteger(), primary_key=True), sa.Column('label', sa.Text(), nullable=False))
import { migration } from 'forerun';

export const createTable = migration({
  after: 'base',
  up: ({ db }) =>
    db.schema
      .createTable('tags')
      .addColumn('id', 'bigint', (column) => column.primaryKey())
      .addColumn('label', 'text', (column) => column.notNull())
      .execute(),
  down: ({ db }) => db.schema.dropTable('tags').execute(),
});
