import { bigint, boolean, jsonb, migration, numeric, sql, table, text, uuid } from 'forerun';

// The columns this migration relies on, as they are today. A later change of the table does not touch this file:
// what it says stays true for the moment at which it runs.
const articles = table('articles', {
  id: bigint(),
  author_id: uuid(),
  title: text(),
  tags: jsonb<readonly string[]>(),
  price: numeric(),
  draft: boolean(),
});

const SIOBHAN = '00000000-0000-4000-8000-000000000002';
const MATEO = '00000000-0000-4000-8000-000000000003';

const AUTHORS = [
  { id: SIOBHAN, email: 'siobhan@example.com', name: "Siobhán O'Neill", bornOn: '1987-02-28' },
  { id: MATEO, email: 'mateo@example.com', name: 'Mateo Núñez', bornOn: '1992-11-05' },
];

const ARTICLES = [
  { id: 1, author_id: SIOBHAN, title: 'The tide tables', tags: ['sea'], price: '1.50', draft: false },
  {
    id: 2,
    author_id: MATEO,
    title: 'Letters from the Pampas',
    tags: ['travel'],
    price: '2.00',
    draft: false,
  },
  {
    id: 3,
    author_id: SIOBHAN,
    title: 'On keeping bees',
    tags: ['garden', 'food'],
    price: '0.00',
    draft: true,
  },
  { id: 4, author_id: MATEO, title: 'A year without maps', tags: ['travel'], price: '3.25', draft: false },
  { id: 5, author_id: SIOBHAN, title: 'The last lighthouse', tags: ['sea'], price: '1.75', draft: false },
  { id: 6, author_id: MATEO, title: 'Bread, twice', tags: ['food'], price: '0.99', draft: false },
  { id: 7, author_id: SIOBHAN, title: 'Weather for sailors', tags: ['sea'], price: '4.10', draft: true },
  { id: 8, author_id: MATEO, title: 'Night trains', tags: [], price: '2.35', draft: false },
];

export default migration({
  after: '0003_create_articles',
  tables: { articles },

  async up({ db, op }) {
    // With the `sql` tag every value in the text travels as a parameter: the apostrophe in a name is harmless.
    for (const { id, email, name, bornOn } of AUTHORS) {
      await op.execute(sql`
        insert into users (id, email, name, role, born_on)
        values (${id}::uuid, ${email}, ${name}, 'author', ${bornOn}::date)
      `);
    }
    // The builder knows the columns of `articles`, in the editor and at run time.
    await db.insertInto('articles').values(ARTICLES).execute();
    // The ids were given by hand, so the counter behind them has to learn where to go on.
    await op.execute(`alter table articles alter column id restart with 9`);
  },

  async down({ db, op }) {
    await db.deleteFrom('articles').where('author_id', 'in', [SIOBHAN, MATEO]).execute();
    for (const { id } of AUTHORS) {
      await op.execute(sql`delete from users where id = ${id}::uuid`);
    }
    await op.execute(`alter table articles alter column id restart with 1`);
  },
});
