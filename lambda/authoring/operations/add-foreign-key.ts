import { operation } from '../operation.ts';
import { quoteName } from '../quote-name.ts';
import { addValidated, dropConstraint } from './constraint-steps.ts';
import { listed } from './names.ts';

type Consequence = 'no action' | 'restrict' | 'cascade' | 'set null' | 'set default';

export interface ForeignKeyArgument {
  /** The table that refers, with its schema where it has one. */
  readonly table: string;
  /** Name of the constraint. */
  readonly name: string;
  readonly columns: readonly string[];
  /** The table and the columns referred to; they need a primary key or a unique constraint. */
  readonly references: { readonly table: string; readonly columns: readonly string[] };
  /** @default 'no action' */
  readonly onDelete?: Consequence;
  /** @default 'no action' */
  readonly onUpdate?: Consequence;
}

/**
 * Adds a foreign key without a long lock: in force for new rows at once, then the old ones are looked through while the app
 * works. Needs `transaction: false`. Build an index on the referring columns first, or each delete of a referred row reads
 * the whole table. Where old rows break it, it stops there; mend them and run again.
 *
 * @example
 * operations: [
 *   addForeignKey.with({
 *     table: 'articles',
 *     name: 'articles_author',
 *     columns: ['author_id'],
 *     references: { table: 'users', columns: ['id'] },
 *   }),
 * ]
 */
export const addForeignKey = operation({
  name: 'add foreign key',
  describe: ({ table, name, references }: ForeignKeyArgument) =>
    `${name} from ${table} to ${references.table}`,
  transaction: false,
  up: ({ op }, { table, name, columns, references, onDelete = 'no action', onUpdate = 'no action' }) =>
    addValidated(op, {
      table,
      name,
      definition: `foreign key (${listed(columns)}) references ${quoteName(references.table)} (${listed(references.columns)}) on delete ${onDelete} on update ${onUpdate}`,
    }),
  down: ({ op }, argument) => dropConstraint(op, argument),
});
