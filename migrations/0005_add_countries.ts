import { boolean, migration, table, text } from 'forerun';
import rows from './data/countries.json' with { type: 'json' };

const countries = table('countries', { code: text(), name: text(), currency: text(), in_eu: boolean() });

// Reference data from a file: the file is part of the bundle, and of the fingerprint of this migration. To change a
// country later, write a migration that does; a change of the file would be refused, because it has already run.
export default migration({
  after: '0004_welcome_first_authors',
  tables: { countries },

  async up({ op }) {
    await op.execute(`
      create table countries (
        code text primary key check (code ~ '^[A-Z]{2}$'),
        name text not null,
        currency text not null,
        in_eu boolean not null
      )
    `);
    await op.bulkInsert(countries, rows);
    await op.execute(`alter table users add column country text references countries (code)`);
  },

  async down({ op }) {
    await op.execute('alter table users drop column country');
    await op.execute('drop table countries');
  },
});
