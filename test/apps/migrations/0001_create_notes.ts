import { migration } from 'forerun';

export default migration({
  after: 'base',
  async up({ op }) {
    await op.execute('create table notes (id bigint primary key, body text)');
    await op.execute(`insert into notes values (1, 'first'), (2, null)`);
  },
  async down({ op }) {
    await op.execute('drop table notes');
  },
});
