import { isOpen } from './backfill/states.ts';
import { errorData, type Outcome, type RunResult } from './outcome.ts';
import type { ForerunError } from './errors.ts';
import type { JournalView, RunIdentity } from './journal.ts';
import type { RunNote } from './ports.ts';
import { halfDone, list, type Plan } from './plan.ts';

/** What a run has come to know about its steps; the only place where outcomes are decided. */
export interface RunRecord {
  /** Counts the rows that statements and batches tell of. */
  hear(note: RunNote): void;
  /** Takes over what a reading of the journal shows: an unknown step that is there was applied. */
  learn(plan: Plan, view: JournalView): void;
  /** To be called when a bid for the lease won: the reading before it is decisive for whatever is still unknown. */
  decide(view: JournalView): void;
  /** To be called when a backfill that is not this run's own step was finished within the run. */
  backfillDone(id: string): void;
  mark(migrations: readonly { readonly id: string }[], outcome: Outcome): void;
  applied(): readonly string[];
  hasUnknown(): boolean;
  /** The state of the database in a sentence. */
  standing(): string;
  /** The run's result: without an error the database stands where it was asked to stand. */
  end(error: ForerunError | null): RunResult;
}

export function startRecord(
  { runId, action }: RunIdentity & { readonly action: 'up' | 'down' },
  calls: () => number,
  hide?: (text: string) => string,
): RunRecord {
  const steps = new Map<string, Outcome>();
  const skipped = new Set<string>();
  const open = new Set<string>();
  const enqueued = new Set<string>();
  /** By migration, since it began last: what was rolled back does not count. */
  const rows = new Map<string, number>();
  let batchRows = 0;
  const callsBefore = calls();
  const withOutcome = (wanted: Outcome): string[] =>
    [...steps].filter(([, outcome]) => outcome === wanted).map(([id]) => id);

  const unfinished = (): Pick<RunResult, 'backfills'> => {
    const applied = withOutcome('applied');
    const ids = [...open, ...[...enqueued].filter((id) => applied.includes(id) && !skipped.has(id))];
    return ids.length === 0 ? {} : { backfills: ids };
  };

  const rowsWritten = (): number =>
    [...withOutcome('applied'), ...withOutcome('partial')].reduce(
      (sum, id) => sum + (rows.get(id) ?? 0),
      batchRows,
    );

  return {
    hear(note) {
      if (note.note === 'began') rows.set(note.migration, 0);
      if (note.note === 'statement') rows.set(note.migration, (rows.get(note.migration) ?? 0) + note.rows);
      if (note.note === 'batch') batchRows += note.changed;
    },
    learn(plan, view) {
      for (const id of withOutcome('unknown')) {
        const there = !view.pending.has(id) && !view.stale.has(id);
        if (there === (action === 'up')) steps.set(id, 'applied');
      }
      const begun = halfDone(view);
      for (const { id, state, hold } of view.backfills) if (!hold && isOpen(state)) open.add(id);
      for (const { id, backfill } of plan.groups.flat()) if (backfill?.hold === false) enqueued.add(id);
      for (const { id, skipped: passedOver } of plan.groups.flat()) {
        if (passedOver === true) skipped.add(id);
        if (!steps.has(id)) steps.set(id, begun.has(id) ? 'partial' : 'not-run');
      }
    },
    decide(view) {
      const begun = halfDone(view);
      for (const id of withOutcome('unknown')) steps.set(id, begun.has(id) ? 'partial' : 'rolled-back');
    },
    mark(migrations, outcome) {
      for (const { id } of migrations) steps.set(id, outcome);
    },
    backfillDone(id) {
      open.delete(id);
      enqueued.delete(id);
    },
    applied: () => withOutcome('applied'),
    hasUnknown: () => withOutcome('unknown').length > 0,
    standing() {
      const applied = withOutcome('applied');
      const partial = withOutcome('partial');
      const verb = action === 'up' ? 'Applied' : 'Reverted';
      const said = [
        ...(applied.length === 0 ? [] : [`${verb} by this run, and standing: ${list(applied)}.`]),
        ...(partial.length === 0 ? [] : [`Half done, and standing as far as it came: ${list(partial)}.`]),
      ];
      return said.length === 0 ? 'Nothing was changed.' : said.join(' ');
    },
    end: (error) => ({
      runId,
      action,
      outcome: error === null ? 'applied' : worstOutcome(steps),
      steps: [...steps].map(([migration, known]) => ({
        migration,
        outcome: known,
        ...(skipped.has(migration) ? { skipped: true } : {}),
      })),
      error: error === null ? null : errorData(error, hide),
      ...(action === 'up' ? unfinished() : {}),
      rows: rowsWritten(),
      dataApiCalls: calls() - callsBefore,
      repeated: false,
    }),
  };
}

function worstOutcome(steps: ReadonlyMap<string, Outcome>): Outcome {
  const known = new Set(steps.values());
  if (known.has('unknown')) return 'unknown';
  if (known.has('partial')) return 'partial';
  return known.has('rolled-back') ? 'rolled-back' : 'not-run';
}
