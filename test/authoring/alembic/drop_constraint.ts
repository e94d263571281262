// Alembic: op.drop_constraint('articles_title', 'articles')
import { migration } from 'forerun';

export const dropConstraint = migration({
  after: 'base',
  up: ({ op }) => op.execute('alter table articles drop constraint articles_title'),
  down: ({ op }) => op.execute(`alter table articles add constraint articles_title check (title <> '')`),
});
