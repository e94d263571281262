import { DatabaseFailure } from '../database-failure.ts';
import { settings } from '../postgres-settings.ts';
import { rollBack } from '../roll-back.ts';
import { openSession, tagged } from '../session.ts';
import type { Session, Statement, Transaction } from '../ports.ts';
import type { Form, KeyTexts } from './backfill.ts';
import { batchStatement, closeStatement, openStatement, peekStatement, type Step } from './postgres-batch.ts';
import {
  lockStatement,
  readAgainStatement,
  readStatement,
  rowsRead,
  writeStatement,
  type ChangedRow,
} from './postgres-transform.ts';
import { limited } from './postgres-seat.ts';
import { rowsBetween } from './postgres-window.ts';
import { answerOf, type RangeView, type StepAnswer } from './range-view.ts';
import type { Worker } from './worker.ts';

/**
 * One step of a range, whatever the form. It counts as a whole or not at all; an answer that got lost is decided by reading
 * the range again. `probing` puts it into a transaction of its own with a time limit, because nobody knows yet how
 * long a batch of this size takes here; `insisting` locks the rows that `transform` reads again before it reads them.
 */
export async function makeStep(
  step: Step,
  range: RangeView,
  worker: Worker,
  { probing, insisting }: { readonly probing: boolean; readonly insisting: boolean },
): Promise<StepAnswer | null> {
  const { form } = worker.spec;
  if (form.kind === 'transform') {
    if (insisting) return insist(step, range, worker, form);
    return send(await computed(step, range, worker.ports.database, form), worker, probing);
  }
  if (form.kind === 'batch') return ownStatements(step, worker, form.work);
  return send(batchStatement(step), worker, probing);
}

type TransformForm = Extract<Form, { kind: 'transform' }>;

/** Reading all that is left of a range may take this long, in milliseconds; what takes longer is swept in windows. */
const PEEK_MS = 5_000;

/** Looks whether the closing sweep would find anything at all: the range is done if not. */
export async function peek(step: Step, worker: Worker): Promise<StepAnswer | null> {
  const limits = { ...limitsOf(worker), statementTimeoutMs: Math.min(PEEK_MS, worker.statementTimeoutMs) };
  return inTransaction(limits, async (transaction) =>
    answerOf<StepAnswer>((await transaction.execute(peekStatement(step), { rows: true })).rows),
  );
}

/**
 * A step over rows that have lost again and again: they are locked before they are read, so that nobody can come between. What
 * is not reached even so is kept from being changed by the database itself.
 */
async function insist(
  step: Step,
  range: RangeView,
  worker: Worker,
  form: TransformForm,
): Promise<StepAnswer | null> {
  return inTransaction(limitsOf(worker), async (transaction) => {
    await transaction.execute(lockStatement(step, range.redo.slice(0, step.rows)), { rows: false });
    const write = await computed(step, range, transaction, form);
    return answerOf<StepAnswer>((await transaction.execute(write, { rows: true })).rows);
  });
}

async function send(statement: Statement, worker: Worker, probing: boolean): Promise<StepAnswer | null> {
  const { database } = worker.ports;
  if (!probing) return answerOf<StepAnswer>((await database.execute(statement, { rows: true })).rows);
  return inTransaction(limitsOf(worker), async (transaction) =>
    answerOf<StepAnswer>((await transaction.execute(statement, { rows: true })).rows),
  );
}

interface TransactionTerms extends Pick<Worker, 'ports' | 'statementTimeoutMs' | 'idleTimeoutMs'> {
  readonly lockTimeoutMs?: number;
}

/** A lock on the table is waited for while the statement is read: only a setting from before it limits that. */
const limitsOf = ({ ports, statementTimeoutMs, idleTimeoutMs, spec }: Worker): TransactionTerms => ({
  ports,
  statementTimeoutMs,
  idleTimeoutMs,
  lockTimeoutMs: spec.tuning.lockTimeoutMs,
});

/** A transaction with time limits of its own; whatever goes wrong before its commit rolls it back. */
export async function inTransaction<T>(
  { ports: { database }, statementTimeoutMs, idleTimeoutMs, lockTimeoutMs }: TransactionTerms,
  work: (transaction: Transaction) => Promise<T>,
  end: 'commit' | 'rollback' = 'commit',
): Promise<T> {
  const transaction = await database.begin();
  try {
    await transaction.execute(
      settings({
        statement_timeout: `${statementTimeoutMs}ms`,
        idle_in_transaction_session_timeout: `${idleTimeoutMs}ms`,
        ...(lockTimeoutMs === undefined ? {} : { lock_timeout: `${lockTimeoutMs}ms` }),
      }),
      { rows: false },
    );
    const result = await work(transaction);
    if (end === 'commit') await transaction.commit();
    else await transaction.rollback();
    return result;
  } catch (cause) {
    await rollBack(transaction);
    throw cause;
  }
}

/** Reads the next rows, or those that lost before, lets the author's code compute, and says what is to be written. */
async function computed(
  step: Step,
  range: RangeView,
  session: Session,
  form: TransformForm,
): Promise<Statement> {
  const again = range.redo.length > 0;
  const reading = again
    ? readAgainStatement(step, form, range.redo.slice(0, step.rows))
    : readStatement(step, form);
  const { rows: answer } = await session.execute(limited(reading, step.statementTimeoutMs), { rows: true });
  const { rows, edge, seen } = rowsRead(answer, step);
  const changed: ChangedRow[] = [];
  for (const { version, key, packed, beside } of rows) {
    let changes: ChangedRow['changes'];
    try {
      changes = form.change(packed, beside);
    } catch (cause) {
      throw new TransformThrew(cause);
    }
    if (changes.length > 0) changed.push({ key, version, changes });
  }
  const bytes = changed.reduce((sum, row) => sum + bytesOf(row), 0);
  if (bytes > MOST_BYTES) {
    throw new DatabaseFailure({
      ran: 'no',
      kind: 'unsupported-result',
      message: 'the rows of a batch fill more than one call',
    });
  }
  return writeStatement(step, {
    rows: changed,
    left: rows.length - changed.length,
    edge,
    over: !again && seen < step.rows,
    seen,
    rest: again ? range.redo.slice(step.rows) : [],
  });
}

/** The service takes 4 MiB a request; half of it is left for what JSON in JSON makes of quotes. */
const MOST_BYTES = 2 * 1024 * 1024;

/** Three bytes is the most that a character of a JavaScript string takes on its way. */
const bytesOf = ({ changes }: ChangedRow): number =>
  changes.reduce((sum, { text }) => sum + 3 * (text?.length ?? 1), 0);

/** The author's code failed on a row. Its words may hold values of the row, so only its kind is kept. */
export class TransformThrew extends Error {
  override readonly name = 'TransformThrew';
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.name : typeof cause, { cause });
  }
}

interface Opened {
  readonly ready: boolean;
  readonly seen: number;
  readonly any: boolean;
  readonly from: KeyTexts | null;
  readonly to: KeyTexts | null;
}

/** The author's own statements between the fence and the cursor, all in one transaction. */
async function ownStatements(
  step: Step,
  worker: Worker,
  work: Extract<Worker['spec']['form'], { kind: 'batch' }>['work'],
): Promise<StepAnswer | null> {
  return inTransaction(limitsOf(worker), async (transaction) => {
    const opened = answerOf<Opened>((await transaction.execute(openStatement(step), { rows: true })).rows);
    let changed = 0;
    if (opened?.ready === true && opened.any && opened.from !== null && opened.to !== null) {
      const session = openSession(step.id, async (numbered) => {
        const result = await transaction.execute(tagged(numbered), numbered.options);
        changed += result.affected;
        return result;
      });
      const window = { from: opened.from, to: opened.to, rows: rowsBetween(step, opened.to) };
      const thrown = await work(session, worker.tools, window).then(
        () => null,
        (cause: unknown) => ({ cause }),
      );
      // A failed statement that the author's code caught has spoilt the transaction all the same.
      const wrong = (await session.close()) ?? thrown;
      if (wrong !== null) throw wrong.cause;
    }
    // The seat must be the one that the window was read from, and may not come between two statements.
    const revision = opened?.ready === true ? step.seat.revision : NEVER;
    const closing = closeStatement(
      { ...step, seat: { ...step.seat, revision } },
      {
        edge: opened?.to ?? null,
        over: (opened?.seen ?? 0) < step.rows,
        seen: opened?.seen ?? 0,
        any: opened?.ready === true && opened.any,
        changed,
      },
    );
    const answer = answerOf<StepAnswer>((await transaction.execute(closing, { rows: true })).rows);
    if (opened?.ready === true && !answer?.range) throw seatLost();
    return answer;
  });
}

/** The author's statements may never be committed without the cursor: their transaction is rolled back. */
const seatLost = (): DatabaseFailure =>
  new DatabaseFailure({ ran: 'no', kind: 'lost', message: 'the range was taken away from under its batch' });

/** No range ever has this revision: a statement with it tells how the range stands and does nothing. */
const NEVER = '-1';
