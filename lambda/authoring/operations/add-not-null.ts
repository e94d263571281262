import { operation } from '../operation.ts';
import { quoteIdentifier, quoteName } from '../quote-name.ts';
import { setNotNull } from './not-null-steps.ts';

export interface NotNullArgument {
  /** The table, with its schema where it has one. */
  readonly table: string;
  readonly column: string;
}

/**
 * Forbids nulls in a column without a long lock: from the first moment for new rows, then the old ones are looked through
 * while the app works. Needs `transaction: false`. Where old rows hold nulls it stops there; fill them and run again.
 *
 * @example operations: [addNotNull.with({ table: 'articles', column: 'slug' })]
 */
export const addNotNull = operation({
  name: 'add not null',
  describe: ({ table, column }: NotNullArgument) => `${table}.${column}`,
  transaction: false,
  up: ({ op }, { table, column }) => setNotNull(op, table, column),
  down: ({ op }, { table, column }) =>
    op.execute(`alter table ${quoteName(table)} alter column ${quoteIdentifier(column)} drop not null`),
});
