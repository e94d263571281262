// Alembic: op.bulk_insert(countries, json.load(open('countries.json')))
import { char, migration, table, text } from 'forerun';
import rows from './countries.json' with { type: 'json' };

const countries = table('countries', { code: char(2), name: text() });

export const cookbookSeedFromAFile = migration({
  after: 'base',
  up: ({ op }) => op.bulkInsert(countries, rows),
  down: ({ op }) => op.execute('delete from countries'),
});
