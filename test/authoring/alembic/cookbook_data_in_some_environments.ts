// Alembic: if context.get_x_argument(as_dictionary=True).get('data'): data_upgrades()
import { migration } from 'forerun';

export const cookbookDataInSomeEnvironments = migration({
  after: 'base',
  environments: ['dev', 'test'],
  up: ({ op }) => op.execute(`insert into notes values ('a note to try things with')`),
  down: ({ op }) => op.execute('delete from notes'),
});
