import { operation } from '../operation.ts';
import { closeTwin, fillTwin, openTwin, type Rename } from './column-twin.ts';

/**
 * First half of renaming a column while two releases of the app are live: adds the column under its new name, keeps both equal
 * by a trigger, fills the old rows in batches, and forbids nulls where the old column does. Needs `transaction: false`. The
 * release that knows the new name comes after it; `finishColumnRename` belongs into a later deploy.
 *
 * @example operations: [beginColumnRename.with({ table: 'users', from: 'name', to: 'full_name' })]
 */
export const beginColumnRename = operation({
  name: 'begin column rename',
  describe: inWords,
  transaction: false,
  async up(context, rename) {
    await context.op.execute(openTwin(rename, 'to'));
    await fillTwin(context, rename, 'to');
  },
  down: ({ op }, rename) => op.execute(closeTwin(rename, 'to')),
});

/**
 * Second half: drops the column under its old name, and the trigger; its default goes over. Needs `transaction: false`. Refused
 * while an index or a constraint still stands on the old column, so that none is lost; `down` brings the old column back,
 * filled from the new one.
 *
 * @example operations: [finishColumnRename.with({ table: 'users', from: 'name', to: 'full_name' })]
 */
export const finishColumnRename = operation({
  name: 'finish column rename',
  describe: inWords,
  transaction: false,
  up: ({ op }, rename) => op.execute(closeTwin(rename, 'from')),
  async down(context, rename) {
    await context.op.execute(openTwin(rename, 'from'));
    await fillTwin(context, rename, 'from');
  },
});

function inWords({ table, from, to }: Rename): string {
  return `${table}.${from} to ${to}`;
}
