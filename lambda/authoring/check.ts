import { ForerunError } from '../engine/errors.ts';
import type { Row, Session, Statement } from '../engine/ports.ts';
import {
  amountFlaw,
  amountInWords,
  isNumeric,
  isWithin,
  rowsInWords,
  type Amount,
  type Expectation,
} from './expectation.ts';
import type { NamedValues, Query } from './operations.ts';

/**
 * States what must be true at this point. When it is not, the migration fails and everything in its transaction is rolled
 * back. The message shows the check's name, what was expected and what was found: a number of rows, or the number that the
 * query gave; text and other values of rows are never shown.
 *
 * @throws ForerunError `check-failed` when the statement is not true.
 * @example
 * await check('every article has a slug', sql`select 1 from articles where slug is null`, { rows: 0 });
 * await check('no cent is lost', 'select sum(amount) from bookings', { value: 0 });
 * await check('most users have a plan', 'select count(plan) from users', { value: { min: 900 } });
 */
export type Check = (
  name: string,
  query: Query<unknown> | string,
  expectation: Expectation,
  values?: NamedValues,
) => Promise<void>;

/** How a check reaches the database. */
export interface CheckParts {
  readonly session: Session;
  /** Makes a statement of what an author hands in. */
  readonly statement: (query: Query<unknown> | string, values: NamedValues | undefined) => Statement;
}

export function createCheck({ session, statement }: CheckParts): Check {
  return async (name, query, expectation, values) => {
    const flaw = flawOf(name, expectation);
    if (flaw !== undefined) throw notACheck(flaw);
    const asked = statement(query, values);
    if ('rows' in expectation) {
      const found = await countRows(session, asked);
      if (isWithin(expectation.rows, found)) return;
      throw checkFailed(name, rowsInWords(expectation.rows), rowsInWords(found));
    }
    const { rows } = await session.execute(asked, { rows: true });
    if ('holds' in expectation) {
      if (expectation.holds(rows)) return;
      throw checkFailed(
        name,
        'rows for which the condition holds',
        `${rowsInWords(rows.length)} for which it does not`,
      );
    }
    const failure = valueFailure(expectation.value, rows);
    if (failure !== undefined) throw checkFailed(name, valueInWords(expectation.value), failure);
  };
}

/** The rows are counted where they are: they may be many, and nobody needs to see them. */
async function countRows(session: Session, { sql, ...rest }: Statement): Promise<bigint> {
  const query = sql.replace(/;\s*$/, '');
  const counting = { sql: `select count(*) as found from (\n${query}\n) as checked`, ...rest };
  const { rows } = await session.execute(counting, { rows: true });
  return BigInt(Number(rows[0]?.['found'] ?? 0));
}

type Value = Extract<Expectation, { value: unknown }>['value'];

/** What was found instead; undefined where all is well. */
function valueFailure(expected: Value, rows: readonly Row[]): string | undefined {
  const columns = rows[0] === undefined ? [] : Object.values(rows[0]);
  if (rows.length !== 1 || columns.length !== 1) {
    return `${rowsInWords(rows.length)}${rows.length === 0 ? '' : ` of ${columns.length} ${columns.length === 1 ? 'column' : 'columns'}`}`;
  }
  const [found] = columns;
  return agrees(expected, found) ? undefined : foundInWords(found);
}

function agrees(expected: Value, found: unknown): boolean {
  if (isAmount(expected)) {
    if (typeof found === 'string') return isNumeric(found) && isWithin(expected, found);
    return (typeof found === 'number' || typeof found === 'bigint') && isWithin(expected, found);
  }
  return expected === found;
}

const isAmount = (expected: Value): expected is Amount =>
  typeof expected === 'number' ||
  typeof expected === 'bigint' ||
  (typeof expected === 'object' && expected !== null);

const valueInWords = (expected: Value): string => {
  if (isAmount(expected)) return amountInWords(expected);
  return typeof expected === 'string' && !isNumeric(expected) ? 'a certain text' : String(expected);
};

/** What the author asked to see is a figure; text may be somebody's name. */
function foundInWords(found: unknown): string {
  if (
    found === null ||
    typeof found === 'boolean' ||
    typeof found === 'number' ||
    typeof found === 'bigint'
  ) {
    return String(found);
  }
  if (typeof found !== 'string') return 'a value of another kind';
  return isNumeric(found) ? found : `another text (${found.length} characters)`;
}

function checkFailed(name: string, expected: string, found: string): ForerunError {
  return new ForerunError('check-failed', {
    what: `The check "${name}" failed: expected ${expected}, found ${found}.`,
    state: 'The migration was stopped there.',
    next: 'Look at what the check asks for, mend the data or the migration, and run again.',
  });
}

const KINDS: readonly string[] = ['rows', 'value', 'holds'];

function flawOf(name: unknown, expectation: unknown): string | undefined {
  if (typeof name !== 'string' || name.trim() === '') return 'A check() has no name.';
  const of = `The check "${name}"`;
  if (typeof expectation !== 'object' || expectation === null) return `${of} expects nothing.`;
  const [entry, ...more] = Object.entries(expectation);
  if (entry === undefined || more.length > 0 || !KINDS.includes(entry[0])) {
    return `${of} must expect one of { rows }, { value } and { holds }.`;
  }
  const [kind, wanted]: readonly [string, unknown] = entry;
  if (kind === 'holds')
    return typeof wanted === 'function' ? undefined : `${of} needs a function in { holds }.`;
  const isPlain = wanted === null || typeof wanted === 'string' || typeof wanted === 'boolean';
  if (kind === 'value' && isPlain) return undefined;
  const flaw = amountFlaw(wanted);
  return flaw === undefined ? undefined : `${of} needs ${flaw} in { ${kind} }.`;
}

function notACheck(what: string): ForerunError {
  return new ForerunError('value-refused', {
    what,
    state: 'Nothing was sent for it.',
    next: 'Write it as check(name, query, { rows: 0 }), { value: 5 } or { holds: (rows) => … }.',
  });
}
