// Alembic: region = context.get_x_argument(as_dictionary=True)['region']
import * as v from 'valibot';
import { migration, sql } from 'forerun';

export const cookbookParameters = migration({
  after: 'base',
  params: v.object({ region: v.string() }),
  up: ({ op, params }) => op.execute(sql`insert into notes values (${params.region})`),
  down: ({ op }) => op.execute('delete from notes'),
});
