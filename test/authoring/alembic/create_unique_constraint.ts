// Alembic: op.create_unique_constraint('users_email', 'users', ['email'])
import { migration } from 'forerun';

export const createUniqueConstraint = migration({
  after: 'base',
  up: ({ op }) => op.execute('alter table users add constraint users_email unique (email)'),
  down: ({ op }) => op.execute('alter table users drop constraint users_email'),
});
