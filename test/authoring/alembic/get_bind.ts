// Alembic: for row in op.get_bind().execute(select(users.c.id)): …
import { migration, sql } from 'forerun';

export const getBind = migration({
  after: 'base',
  up: async ({ op }) => {
    for (const { id } of await op.query<{ id: bigint }>('select id from users')) {
      await op.execute(sql`update users set name = ${`reader ${id}`} where id = ${id}`);
    }
  },
  down: ({ op }) => op.execute(`update users set name = 'user ' || id`),
});
