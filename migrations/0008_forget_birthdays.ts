import { irreversible, migration } from 'forerun';

// What is dropped is gone. A `down` that brings back an empty column would only look like a way back, so this
// migration says honestly that there is none: going below it is refused, and the reason is shown.
export default migration({
  after: '0007_double_later_prices',

  async up({ op }) {
    await op.execute('alter table users drop column born_on');
  },

  down: irreversible('the birthdays are deleted, and only a snapshot of the database still has them'),
});
