import { ForerunError, UNTOUCHED } from '../errors.ts';
import type { RunLimits } from '../limits.ts';
import type { Ports, Transaction } from '../ports.ts';
import { openSession, tagged } from '../session.ts';
import type { Backfill, KeyTexts } from './backfill.ts';
import { sampleStatement, showStatement, trialStatement, type TrialStep } from './postgres-batch.ts';
import { readStatement, rowsRead } from './postgres-transform.ts';
import { rowsBetween } from './postgres-window.ts';
import type { BackfillPlace } from './postgres-prepare.ts';
import { findKey } from './prepare.ts';
import { answerOf } from './range-view.ts';
import { inTransaction } from './step.ts';

/** What one batch would do; it was rolled back. Holds values of rows, so it goes to whoever asked and nowhere else. */
export interface Trial {
  readonly backfill: string;
  /** Rows that the batch would change. */
  readonly changed: number;
  /** Some of the rows before and after. */
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
  return inTransaction(
    { ports, statementTimeoutMs: limits.statementTimeoutMs, idleTimeoutMs: limits.idleTimeoutMs },
    async (transaction) => {
      const sampled = answerOf<Sampled>(
        (await transaction.execute(sampleStatement(step, SHOWN_ROWS), { rows: true })).rows,
      );
      const keys = sampled?.keys ?? [];
      const before = await shown(step, keys, transaction);
      const changed = await effect(step, sampled?.edge ?? null, written.frozen, transaction);
      const after = typeof changed === 'number' ? await shown(step, keys, transaction) : changed.after;
      return {
        backfill: place.backfill,
        changed: typeof changed === 'number' ? changed : changed.count,
        rows: before.map((row, at) => ({ before: row, after: after[at] ?? null })),
      };
    },
    'rollback',
  );
}

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

async function effect(
  step: TrialStep,
  edge: KeyTexts | null,
  frozen: boolean,
  transaction: Transaction,
): Promise<number | { readonly count: number; readonly after: readonly unknown[] }> {
  const { form } = step.backfill;
  if (edge === null) return 0;
  if (form.kind === 'transform') {
    const { rows } = await transaction.execute(readStatement(step, form), { rows: true });
    const names = new Map(step.backfill.columns.map(({ name, column }) => [column, name]));
    const changes = rowsRead(rows, step).rows.map(({ packed, beside }) => form.change(packed, beside));
    return {
      count: changes.filter((one) => one.length > 0).length,
      after: changes.map((one) =>
        Object.fromEntries(one.map(({ column, text }) => [names.get(column) ?? column, text])),
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
    await form.work(session, tools, { from: first?.edge ?? edge, to: edge, rows: rowsBetween(step, edge) });
    const mishap = await session.close();
    if (mishap !== null) throw mishap.cause;
    return affected;
  }
  // A frozen change may leave its condition true.
  const statement = trialStatement(step, frozen);
  const answer = answerOf<{ readonly changed: number }>(
    (await transaction.execute(statement, { rows: true })).rows,
  );
  return answer?.changed ?? 0;
}
