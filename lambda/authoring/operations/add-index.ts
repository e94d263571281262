import { operation } from '../operation.ts';
import { quoteIdentifier, quoteName } from '../quote-name.ts';
import { besideTable, listed } from './names.ts';

export interface IndexArgument {
  /** The table, with its schema where it has one: `app.articles`. */
  readonly table: string;
  /** Name of the index; it stands in the schema of its table. */
  readonly name: string;
  /** Names of columns; or, as `{ sql }`, what stands between the parentheses: `{ sql: 'lower(email), born desc' }`. */
  readonly columns: readonly string[] | { readonly sql: string };
  /** @default false */
  readonly unique?: boolean;
  /** @default 'btree' */
  readonly using?: 'btree' | 'hash' | 'gin' | 'gist' | 'spgist' | 'brin';
  /** Names of columns that are only stored. */
  readonly include?: readonly string[];
  /** SQL condition of a partial index. */
  readonly where?: string;
}

/**
 * Builds an index while readers and writers go on (`create index concurrently`), and drops it in the same way. Needs
 * `transaction: false`; PostgreSQL waits for transactions that are open when it begins. An unfinished index that an
 * interruption leaves is removed and built again by the next run.
 *
 * @example operations: [addIndex.with({ table: 'articles', name: 'articles_slug', columns: ['slug'], unique: true })]
 */
export const addIndex = operation({
  name: 'add index',
  describe: ({ table, name }: IndexArgument) => `${name} on ${table}`,
  transaction: false,
  up: ({ op }, argument) => op.execute(creation(argument)),
  down: ({ op }, { table, name }) => op.execute(`drop index concurrently ${besideTable(table, name)}`),
});

function creation({
  table,
  name,
  columns,
  unique = false,
  using = 'btree',
  include,
  where,
}: IndexArgument): string {
  return [
    `create ${unique ? 'unique ' : ''}index concurrently ${quoteIdentifier(name)} on ${quoteName(table)}`,
    `using ${using} (${'sql' in columns ? columns.sql : listed(columns)})`,
    ...(include === undefined ? [] : [`include (${listed(include)})`]),
    ...(where === undefined ? [] : [`where ${where}`]),
  ].join(' ');
}
