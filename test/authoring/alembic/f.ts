// Alembic: op.create_check_constraint(op.f('ck_articles_price'), 'articles', 'price >= 0')
import { migration } from 'forerun';

export const f = migration({
  after: 'base',
  up: ({ op }) => op.execute('alter table articles add constraint ck_articles_price check (price >= 0)'),
  down: ({ op }) => op.execute('alter table articles drop constraint ck_articles_price'),
});
