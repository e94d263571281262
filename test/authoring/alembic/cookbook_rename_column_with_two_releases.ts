// Alembic: op.alter_column('users', 'name', new_column_name='full_name') while two releases of the app are live
import { beginColumnRename, migration } from 'forerun';

export const cookbookRenameColumnWithTwoReleases = migration({
  after: 'base',
  transaction: false,
  operations: [beginColumnRename.with({ table: 'users', from: 'name', to: 'full_name' })],
});
