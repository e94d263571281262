import type { Op } from '../operation.ts';
import { quoteIdentifier, quoteName } from '../quote-name.ts';
import { bareName } from './names.ts';

/**
 * The rows are looked through by `validate`, which lets readers and writers work; the statements that lock the table look
 * at no row, because PostgreSQL takes the validated constraint as proof (manual of `alter table`, `set not null`).
 */
export async function setNotNull(op: Op, table: string, column: string): Promise<void> {
  const constraint = quoteIdentifier(`${bareName(table)}_${column}_not_null_proof`);
  const alter = `alter table ${quoteName(table)}`;
  await op.execute(
    `${alter} add constraint ${constraint} check (${quoteIdentifier(column)} is not null) not valid`,
  );
  await op.execute(`${alter} validate constraint ${constraint}`);
  await op.execute(`${alter} alter column ${quoteIdentifier(column)} set not null`);
  await op.execute(`${alter} drop constraint ${constraint}`);
}
