import { boolean, date, migration, table } from 'forerun';

const articles = table('articles', {
  draft: boolean(),
  is_published: boolean(),
  published_on: date().nullable(),
});

// A typed update: a misspelt column or a value of the wrong type does not compile.
export default migration({
  after: '0005_add_countries',
  tables: { articles },

  async up({ db }) {
    await db
      .updateTable('articles')
      .set({ is_published: true, published_on: '2026-01-31' })
      .where('draft', '=', false)
      .execute();
  },

  async down({ db }) {
    await db
      .updateTable('articles')
      .set({ is_published: false, published_on: null })
      .where('draft', '=', false)
      .execute();
  },
});
