import { ForerunError, UNTOUCHED } from '../errors.ts';
import type { JournalView } from '../journal.ts';
import type { Migration } from '../migration.ts';
import type { OpenBackfill } from './open-backfill.ts';
import { progressOf, progressText } from './progress.ts';
import { isOpen } from './states.ts';

/** A needed backfill with no more than this left is finished by the run that needs it, in seconds. */
const LITTLE_SECONDS = 120;

/** A backfill that is not done must stay what it was when it began. */
export function changedBackfills(history: readonly Migration[], { backfills }: JournalView): ForerunError[] {
  return backfills.flatMap((open) => {
    const known = history.find(({ id }) => id === open.id);
    if (known === undefined || known.checksum === open.checksum || open.state === 'cancelled') return [];
    return [
      refused(
        open.id,
        `${open.id} was changed, and its backfill is not done: it is ${open.state}, ${progressText(open)}.`,
        `Restore the file and put the change into a backfill of its own; or give it up with {"action":"cancel","backfill":"${open.id}"}.`,
      ),
    ];
  });
}

/** What stands in the way of these steps: a backfill of theirs that stopped, or one that they need. */
export function backfillRefusals(
  steps: readonly Migration[],
  history: readonly Migration[],
  view: JournalView,
): ForerunError[] {
  const open = new Map(view.backfills.map((one) => [one.id, one]));
  return steps.flatMap((step) => [
    ...stoppedOf(step, open.get(step.id)),
    ...(step.needs ?? []).flatMap((need) => neededOf(step, need, history, open.get(need))),
  ]);
}

function stoppedOf({ id, backfill }: Migration, open: OpenBackfill | undefined): ForerunError[] {
  if (backfill === undefined || open === undefined || isOpen(open.state)) return [];
  return [refused(id, stoppedText(open), waysOut(open))];
}

function neededOf(
  { id }: Migration,
  need: string,
  history: readonly Migration[],
  open: OpenBackfill | undefined,
): ForerunError[] {
  if (history.find((one) => one.id === need)?.backfill === undefined) {
    return [
      refused(
        id,
        `${id} needs ${need}, which is no backfill of this history.`,
        'Mend `needs` in the migration.',
      ),
    ];
  }
  if (open === undefined) return [];
  if (!isOpen(open.state)) return [refused(id, `${id} needs ${need}. ${stoppedText(open)}`, waysOut(open))];
  const { etaSeconds } = progressOf(open);
  if (etaSeconds === null || etaSeconds <= LITTLE_SECONDS) return [];
  return [
    refused(
      id,
      `${id} needs ${need}, which is not finished: ${progressText(open)}.`,
      `Deploy again when it is done; {"action":"backfills"} shows how far it is, and {"action":"backfill","backfill":"${need}"} works on it.`,
    ),
  ];
}

function stoppedText({ id, state, reason }: OpenBackfill): string {
  const why = reason === null ? '' : `: ${reason}`;
  return `The backfill ${id} is ${state}${why}.`;
}

/** What a person can do about it. */
export function waysOut({ id, state }: Pick<OpenBackfill, 'id' | 'state'>): string {
  const act = (action: string): string => `{"action":"${action}","backfill":"${id}"}`;
  if (state === 'paused')
    return `Mend the cause and let it go on with ${act('resume')}, or give it up with ${act('cancel')}.`;
  return `Mend the cause and let it go on with ${act('retry')}${state === 'failed' ? `, or give it up with ${act('cancel')}` : ''}.`;
}

function refused(migration: string, what: string, next: string): ForerunError {
  return new ForerunError('backfill-refused', { what, state: UNTOUCHED, next }, { place: { migration } });
}
