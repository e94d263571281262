// Alembic: op.execute(authors.insert().from_select(['id', 'name'], select(users)))
import { migration } from 'forerun';

export const cookbookInsertFromSelect = migration({
  after: 'base',
  up: ({ op }) => op.execute('insert into notes select name from users'),
  down: ({ op }) => op.execute('delete from notes'),
});
