import { migration } from 'forerun';

// Fails at its second statement, because there are articles already: the first one must not stay either.
export default migration({
  after: '0008_forget_birthdays',

  async up({ op }) {
    await op.execute('update users set credit = credit + 5');
    await op.execute('alter table articles add column slug text not null');
  },

  async down({ op }) {
    await op.execute('alter table articles drop column slug');
    await op.execute('update users set credit = credit - 5');
  },
});
