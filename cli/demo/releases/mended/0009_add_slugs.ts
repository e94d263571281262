import { migration } from 'forerun';

export default migration({
  after: '0008_forget_birthdays',
  // The release before knows nothing of slugs and does not need to.
  compatible: true,

  async up({ op }) {
    await op.execute('alter table articles add column slug text');
    await op.execute(`update articles set slug = lower(replace(title, ' ', '-'))`);
  },

  async down({ op }) {
    await op.execute('alter table articles drop column slug');
  },
});
