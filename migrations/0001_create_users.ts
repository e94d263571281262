import { migration } from 'forerun';

// The first migration of all comes after `base`. Plain strings are all that a change of the schema needs;
// one call of `op.execute` is one statement, and all of them commit together or not at all.
export default migration({
  after: 'base',

  async up({ op }) {
    await op.execute(`create type user_role as enum ('reader', 'author', 'editor', 'admin')`);
    await op.execute(`
      create table users (
        id uuid primary key default gen_random_uuid(),
        email text not null unique,
        name text not null,
        role user_role not null default 'reader',
        settings jsonb not null default '{}',
        credit numeric(10, 2) not null default 0,
        born_on date,
        created_at timestamptz not null default now()
      )
    `);
  },

  async down({ op }) {
    await op.execute('drop table users');
    await op.execute('drop type user_role');
  },
});
