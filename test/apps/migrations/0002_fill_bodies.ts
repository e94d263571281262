import { irreversible, migration } from 'forerun';

export default migration({
  after: '0001_create_notes',
  async up({ op }) {
    await op.execute(`update notes set body = '' where body is null`);
  },
  down: irreversible('nobody knows any more which bodies were empty'),
});
