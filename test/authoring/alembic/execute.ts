// Alembic: op.execute(sa.text('UPDATE users SET name = :name WHERE id = 1').bindparams(name='Ada'))
import { migration, sql } from 'forerun';

export const execute = migration({
  after: 'base',
  up: ({ op }) => op.execute(sql`update users set name = ${'Ada'} where id = 1`),
  down: ({ op }) => op.execute(`update users set name = 'user 1' where id = 1`),
});
