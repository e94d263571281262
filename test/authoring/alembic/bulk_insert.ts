// Alembic: op.bulk_insert(users, [{'id': 10, 'name': 'Ada'}, {'id': 11, 'name': 'Alan'}])
import { bigint, migration, table, text } from 'forerun';

const users = table('users', { id: bigint(), name: text() });

export const bulkInsert = migration({
  after: 'base',
  up: ({ op }) =>
    op.bulkInsert(users, [
      { id: 10n, name: 'Ada' },
      { id: 11n, name: 'Alan' },
    ]),
  down: ({ op }) => op.execute('delete from users where id >= 10'),
});
