// Alembic: op.rename_table('notes', 'remarks')
import { migration } from 'forerun';

export const renameTable = migration({
  after: 'base',
  up: ({ op }) => op.execute('alter table notes rename to remarks'),
  down: ({ op }) => op.execute('alter table remarks rename to notes'),
});
