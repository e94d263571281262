// Alembic: op.run_async(load_users)
import { bigint, migration, table, text } from 'forerun';

const users = table('users', { id: bigint(), name: text() });
const loadUsers = () => Promise.resolve([{ id: 10n, name: 'Ada' }]);

export const runAsync = migration({
  after: 'base',
  up: async ({ op }) => op.bulkInsert(users, await loadUsers()),
  down: ({ op }) => op.execute('delete from users where id >= 10'),
});
