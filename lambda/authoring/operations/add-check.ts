import { operation } from '../operation.ts';
import { addValidated, dropConstraint } from './constraint-steps.ts';

export interface CheckArgument {
  /** The table, with its schema where it has one. */
  readonly table: string;
  /** Name of the constraint. */
  readonly name: string;
  /** SQL condition that every row must meet. */
  readonly check: string;
}

/**
 * Adds a check constraint without a long lock: in force for new rows at once, then the old ones are looked through while
 * the app works. Needs `transaction: false`. Where old rows break it, it stops there; mend them and run again.
 *
 * @example operations: [addCheck.with({ table: 'articles', name: 'articles_price', check: 'price >= 0' })]
 */
export const addCheck = operation({
  name: 'add check',
  describe: ({ table, name }: CheckArgument) => `${name} on ${table}`,
  transaction: false,
  up: ({ op }, { table, name, check }) => addValidated(op, { table, name, definition: `check (${check})` }),
  down: ({ op }, argument) => dropConstraint(op, argument),
});
