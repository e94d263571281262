// Alembic: op.create_sp(worth)
import { migration, replaceFunction } from 'forerun';

export const cookbookReplaceableFunction = migration({
  after: 'base',
  operations: [
    replaceFunction.with({
      name: 'worth(numeric)',
      to: 'create or replace function worth(price numeric) returns numeric language sql as $$ select 2 * price $$',
    }),
  ],
});
