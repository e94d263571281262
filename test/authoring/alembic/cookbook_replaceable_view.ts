// Alembic: op.replace_view(readable, replaces='28af9800143f.readable')
import { migration, replaceView } from 'forerun';

export const cookbookReplaceableView = migration({
  after: 'base',
  operations: [
    replaceView.with({
      name: 'readable',
      from: 'select id from articles',
      to: 'select id, title from articles',
    }),
  ],
});
