import { bigint, migration, numeric, sql, table } from 'forerun';

const articles = table('articles', { id: bigint(), price: numeric(10, 2) });

// A conditional update that reckons with the old value. Run twice it would double twice: that it takes effect
// exactly once, however often a deploy fails half-way, is what the journal is for.
export default migration({
  after: '0006_publish_finished_articles',
  tables: { articles },

  async up({ db }) {
    await db
      .updateTable('articles')
      .set({ price: sql<string>`price * 2` })
      .where('id', '>', 5n)
      .execute();
  },

  async down({ db }) {
    await db
      .updateTable('articles')
      .set({ price: sql<string>`price / 2` })
      .where('id', '>', 5n)
      .execute();
  },
});
