// Alembic: with op.get_context().autocommit_block(): op.execute('VACUUM articles')
import { migration } from 'forerun';

export const getContext = migration({
  after: 'base',
  transaction: false,
  up: ({ op }) => op.execute('vacuum articles'),
  down: () => Promise.resolve(),
});
