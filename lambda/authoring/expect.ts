import { ForerunError } from '../engine/errors.ts';
import type { MigrationTools } from '../engine/migration.ts';
import { amountFlaw, isWithin, rowsInWords, type RowsExpected } from './expectation.ts';

/** What a statement may be told about its own effect. */
export interface Expecting {
  /**
   * How many rows the statement must insert, update or delete. Another number fails the migration, and everything in its
   * transaction is rolled back.
   *
   * @throws ForerunError `check-failed` when the number is another one.
   */
  readonly expect?: RowsExpected;
}

/** Runs a step of the author so that its failure cannot be overlooked. */
export type Guard = <T>(step: () => Promise<T>) => Promise<T>;

/** What is meant is told apart from values by name, which are never plain objects. */
export function isExpecting(given: object | undefined): given is Expecting {
  if (given === undefined || !('expect' in given)) return false;
  const { expect } = given;
  const isValue = expect instanceof Uint8Array || expect instanceof Date;
  return typeof expect === 'object' && expect !== null && !isValue;
}

/** Sends what `send` sends, and holds its count against what was expected. */
export function expectRows<R extends { readonly affected: number } | { readonly rows: number }>(
  { expect }: Expecting,
  { tools, guard, what }: { tools: MigrationTools; guard: Guard; what: string },
  send: () => Promise<R>,
): Promise<R> {
  if (expect === undefined) return send();
  return guard(async () => {
    refuseFlawed(expect, tools);
    const result = await send();
    const found = 'affected' in result ? result.affected : result.rows;
    if (!isWithin(expect.rows, found)) throw unexpected(expect, found, what);
    return result;
  });
}

function refuseFlawed(expect: RowsExpected, { inTransaction }: MigrationTools): void {
  const flaw = amountFlaw(expect.rows);
  if (flaw !== undefined) {
    throw new ForerunError('value-refused', {
      what: `expect: { rows } must be ${flaw}.`,
      state: 'The statement was not sent.',
      next: 'Write it as expect: { rows: 1 } or expect: { rows: { min: 1, max: 5 } }.',
    });
  }
  if (inTransaction) return;
  throw new ForerunError('statement-refused', {
    what: 'A statement with expect was sent outside a transaction, where a wrong number of rows could not be taken back.',
    state: 'It was not sent.',
    next: 'Take transaction: false away, or state with check() what must be true before the statement.',
  });
}

/** So much of a statement is shown. */
const SHOWN_CHARACTERS = 200;

function unexpected({ rows }: RowsExpected, found: number, what: string): ForerunError {
  const oneLine = what.replaceAll(/\s+/g, ' ').trim();
  const shown = oneLine.length > SHOWN_CHARACTERS ? `${oneLine.slice(0, SHOWN_CHARACTERS)} …` : oneLine;
  return new ForerunError('check-failed', {
    what: `A statement was expected to change ${rowsInWords(rows)} and changed ${found}: ${shown}`,
    state: 'The migration was stopped there.',
    next: 'Look at which rows it meets, mend the data or the migration, and run again.',
  });
}
