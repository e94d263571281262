// Alembic: op.drop_table('notes')
import { migration } from 'forerun';

export const dropTable = migration({
  after: 'base',
  up: ({ op }) => op.execute('drop table notes'),
  down: ({ op }) => op.execute('create table notes (body text)'),
});
