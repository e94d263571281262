// Alembic: op.execute(users.update().values(name=op.inline_literal('Ada')))
import { migration, sql } from 'forerun';

export const inlineLiteral = migration({
  after: 'base',
  up: ({ op }) => op.execute(sql`update users set name = ${sql.lit('Ada')}`),
  down: ({ op }) => op.execute(`update users set name = 'user ' || id`),
});
