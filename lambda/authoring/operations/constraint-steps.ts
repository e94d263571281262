import type { Op } from '../operation.ts';
import { quoteIdentifier, quoteName } from '../quote-name.ts';

/** A constraint of a table. */
export interface Constraint {
  readonly table: string;
  readonly name: string;
  /** SQL behind the name. */
  readonly definition: string;
}

/** In force for new rows at once; the old ones are looked through while the app works. */
export async function addValidated(op: Op, { table, name, definition }: Constraint): Promise<void> {
  const alter = `alter table ${quoteName(table)}`;
  await op.execute(`${alter} add constraint ${quoteIdentifier(name)} ${definition} not valid`);
  await op.execute(`${alter} validate constraint ${quoteIdentifier(name)}`);
}

export async function dropConstraint(op: Op, { table, name }: Omit<Constraint, 'definition'>): Promise<void> {
  await op.execute(`alter table ${quoteName(table)} drop constraint ${quoteIdentifier(name)}`);
}
