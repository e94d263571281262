import { DatabaseFailure } from '../database-failure.ts';
import { ForerunError, UNTOUCHED } from '../errors.ts';
import type { RunLimits } from '../limits.ts';
import type { Ports, Transaction } from '../ports.ts';
import { openSession, tagged } from '../session.ts';
import type { Backfill, KeyTexts } from './backfill.ts';
import { isEndless, kept, verdictOn } from './failure.ts';
import {
  closeTrialStatement,
  openTrialStatement,
  sampleStatement,
  showStatement,
  trialStatement,
  type TrialStep,
} from './postgres-batch.ts';
import { readStatement, rowsRead } from './postgres-transform.ts';
import { rowsBetween } from './postgres-window.ts';
import type { BackfillPlace } from './postgres-prepare.ts';
import { findKey } from './prepare.ts';
import { answerOf } from './range-view.ts';
import { inTransaction } from './step.ts';
import { probeMs } from './worker.ts';

/** What one batch would do; it was rolled back. Holds values of rows, so it goes to whoever asked and nowhere else. */
export interface Trial {
  readonly backfill: string;
  /** Rows that the batch would change. */
  readonly changed: number;
  /** Some of the rows before and after; before is null for one that would be new. */
  readonly rows: readonly { readonly before: unknown; readonly after: unknown }[];
}

const SHOWN_ROWS = 5;

/** Runs the first batch in a transaction that is rolled back. It asks for no lease: nothing of it stays. */
export async function tryBatch(
  place: BackfillPlace,
  written: Backfill,
  limits: RunLimits,
  ports: Ports,
): Promise<Trial> {
  const found = await findKey(written, { ports });
  if ('flaw' in found) {
    throw new ForerunError('backfill-refused', {
      what: `${place.backfill} cannot work: ${found.flaw}.`,
      state: UNTOUCHED,
      next: 'Mend the backfill or its table.',
    });
  }
  // A set that is not captured yet is looked for as the capture would.
  const spec: Backfill = { ...written, frozen: false };
  const step: TrialStep = {
    seat: place,
    id: place.backfill,
    backfill: spec,
    key: found.key,
    cursor: null,
    upper: null,
    rows: spec.tuning.batchRows,
  };
  // The locks that it has are held until it is rolled back.
  const statementTimeoutMs = probeMs(limits);
  const { lockTimeoutMs } = spec.tuning;
  const trial = inTransaction(
    { ports, statementTimeoutMs, idleTimeoutMs: limits.idleTimeoutMs, lockTimeoutMs },
    async (transaction) => {
      const sampled = answerOf<Sampled>(
        (await transaction.execute(sampleStatement(step, SHOWN_ROWS), { rows: true })).rows,
      );
      const keys = sampled?.keys ?? [];
      const before = await shown(step, keys, transaction);
      const { changed, after, added } = await effect(
        step,
        sampled?.edge ?? null,
        written.frozen,
        transaction,
      );
      if (added !== undefined) {
        return {
          backfill: place.backfill,
          changed,
          rows: added.map((row) => ({ before: null, after: row })),
        };
      }
      const shownAfter = after === null ? await shown(step, keys, transaction) : keys.map(after);
      return {
        backfill: place.backfill,
        changed,
        rows: before.map((row, at) => ({ before: row, after: shownAfter[at] ?? null })),
      };
    },
    'rollback',
  );
  return trial.catch((cause: unknown) => {
    const ownWords =
      cause instanceof ForerunError || ['unknown', 'away', 'unable'].includes(verdictOn(cause));
    throw ownWords
      ? cause
      : (stoppedByTime(place, cause, { lockTimeoutMs, statementTimeoutMs }) ?? failed(place, cause));
  });
}

/** Kept words only: the answer of a runner is logged, and the database's own message may hold values of a row. */
function failed({ backfill }: BackfillPlace, cause: unknown): ForerunError {
  return new ForerunError(
    'backfill-refused',
    {
      what: `A batch of ${backfill} fails: ${kept(cause)}.`,
      state: UNTOUCHED,
      next: isEndless(cause)
        ? 'Let the change make its `where` false, or write `frozen: true` for one that leaves no trace.'
        : 'Mend the backfill, and try it again.',
    },
    { cause },
  );
}

/** Null where something else is the matter. */
function stoppedByTime(
  { backfill }: BackfillPlace,
  cause: unknown,
  limits: { readonly lockTimeoutMs: number; readonly statementTimeoutMs: number },
): ForerunError | null {
  if (!(cause instanceof DatabaseFailure)) return null;
  if (cause.sqlState === LOCK_NOT_AVAILABLE) {
    return new ForerunError(
      'backfill-refused',
      {
        what: `A batch of ${backfill} would wait for a lock that another session holds. The dry run gave up after ${seconds(limits.lockTimeoutMs)}, so that nobody waits behind it.`,
        state: UNTOUCHED,
        next: 'Try it again in a while; the view pg_locks shows who holds what. The backfill itself tries such a batch again.',
      },
      { cause },
    );
  }
  if (cause.sqlState !== QUERY_CANCELED && cause.kind !== 'timeout') return null;
  return new ForerunError(
    'backfill-refused',
    {
      what: `A batch of ${backfill} takes longer than ${seconds(limits.statementTimeoutMs)}. The dry run gave it up, so that nobody waits behind it.`,
      state: UNTOUCHED,
      next: 'Mend what makes it slow, or lower `batchRows` in its file, and try it again.',
    },
    { cause },
  );
}

const seconds = (milliseconds: number): string => `${milliseconds / 1_000} s`;

const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';

interface Sampled {
  readonly keys: readonly KeyTexts[];
  readonly edge: KeyTexts | null;
}

async function shown(
  step: TrialStep,
  keys: readonly KeyTexts[],
  transaction: Transaction,
): Promise<readonly unknown[]> {
  const { rows } = await transaction.execute(showStatement(step, keys), { rows: true });
  return rows.map((row) => row['shown']);
}

interface Effect {
  readonly changed: number;
  /** What becomes of the row with this key, where nothing was written; null where the rows themselves tell it. */
  readonly after: ((key: KeyTexts) => unknown) | null;
  /** Some of the rows that are new, where rows are added and none is changed. */
  readonly added?: readonly unknown[];
}

async function effect(
  step: TrialStep,
  edge: KeyTexts | null,
  frozen: boolean,
  transaction: Transaction,
): Promise<Effect> {
  const { form } = step.backfill;
  if (edge === null) return { changed: 0, after: null, ...(form.kind === 'insert' ? { added: [] } : {}) };
  if (form.kind === 'transform') {
    const { rows } = await transaction.execute(readStatement(step, form), { rows: true });
    const names = new Map(step.backfill.columns.map(({ name, column }) => [column, name]));
    const changes = new Map(
      rowsRead(rows, step).rows.map(({ key, packed, beside }) => [
        JSON.stringify(key),
        form.change(packed, beside),
      ]),
    );
    return {
      changed: [...changes.values()].filter((one) => one.length > 0).length,
      after: (key) =>
        Object.fromEntries(
          (changes.get(JSON.stringify(key)) ?? []).map(({ column, text }) => [
            names.get(column) ?? column,
            text,
          ]),
        ),
    };
  }
  if (form.kind === 'batch') {
    let affected = 0;
    const session = openSession(step.id, async (numbered) => {
      const result = await transaction.execute(tagged(numbered), numbered.options);
      affected += result.affected;
      return result;
    });
    const first = answerOf<Sampled>(
      (await transaction.execute(sampleStatement({ ...step, rows: 1 }, 1), { rows: true })).rows,
    );
    const tools = { inTransaction: true, progress: () => undefined } as const;
    if (!frozen) await transaction.execute(openTrialStatement(step, edge), { rows: false });
    await form.work(session, tools, { from: first?.edge ?? edge, to: edge, rows: rowsBetween(step, edge) });
    const mishap = await session.close();
    if (mishap !== null) throw mishap.cause;
    // A frozen change may leave its condition true.
    if (!frozen) await transaction.execute(closeTrialStatement(step, edge), { rows: false });
    return { changed: affected, after: null };
  }
  const statement = trialStatement(step, frozen, SHOWN_ROWS);
  const answer = answerOf<{ readonly changed: number; readonly rows?: readonly unknown[] | null }>(
    (await transaction.execute(statement, { rows: true })).rows,
  );
  return {
    changed: answer?.changed ?? 0,
    after: null,
    ...(form.kind === 'insert' ? { added: answer?.rows ?? [] } : {}),
  };
}
