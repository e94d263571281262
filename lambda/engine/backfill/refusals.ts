import { ForerunError, UNTOUCHED } from '../errors.ts';
import type { JournalView } from '../journal.ts';
import type { Migration } from '../migration.ts';
import type { Backfill } from './backfill.ts';
import type { OpenBackfill } from './open-backfill.ts';
import { progressOf, progressText } from './progress.ts';
import { isOpen } from './states.ts';

/** A needed backfill with no more than this left is finished by the run that needs it, in seconds. */
const LITTLE_SECONDS = 120;

/** What a deploy of another file can make of a backfill that was given up. */
export type Rewrite =
  /** It begins anew: its migration does not count as applied yet. */
  | 'anew'
  /** Nothing: nobody can tell from the rows which ones it has changed. */
  | 'traceless'
  /** Nothing: its migration counts as applied. */
  | 'applied';

/** As it looks from the file alone. */
export const rewriteOf = ({ hold, frozen }: Backfill): Rewrite =>
  hold ? (frozen ? 'traceless' : 'anew') : 'applied';

function rewriteOfOpen(
  { claimed, captured, scanned }: OpenBackfill,
  backfill: Backfill | undefined,
): Rewrite {
  if (claimed) return 'applied';
  return (captured || backfill?.frozen === true) && scanned > 0 ? 'traceless' : 'anew';
}

/** A backfill that is not done must stay what it was when it began, or be given up. */
export function changedBackfills(history: readonly Migration[], { backfills }: JournalView): ForerunError[] {
  return backfills.flatMap((open) => {
    const known = history.find(({ id }) => id === open.id);
    if (known === undefined || known.checksum === open.checksum || open.state === 'cancelled') return [];
    return [changed(open, rewriteOfOpen(open, known.backfill))];
  });
}

function changed(open: OpenBackfill, rewrite: Rewrite): ForerunError {
  const untold = rewrite === 'traceless' ? '; nobody can tell from the rows which ones it has changed' : '';
  const what = `${open.id} was changed, and its backfill is not done: it is ${open.state}, ${progressText(open)}${untold}.`;
  return refused(open.id, what, waysBack(open, rewrite));
}

/** What a person can do whose file is another one than the backfill was begun with. */
function waysBack({ id, state }: OpenBackfill, rewrite: Rewrite): string {
  const cancel = act('cancel', id);
  switch (rewrite) {
    case 'anew':
      return `Restore the file; or give the backfill up with ${cancel} and deploy again: it then begins anew with the file as it is now, and what it has changed stands.`;
    case 'traceless':
      return `Restore the file and let the backfill go on${isOpen(state) ? '' : ` with ${act(state === 'paused' ? 'resume' : 'retry', id)}`}; or ${REST_ELSEWHERE}${state === 'cancelled' ? '' : `, once you have given this one up with ${cancel}`}.`;
    case 'applied':
      return `Restore the file and put the change into a backfill of its own; give this one up with ${cancel} if it shall not go on.`;
  }
}

/** A backfill that holds the deploy is half done, and this release does not have it. */
export const missingBackfills = (open: readonly OpenBackfill[]): ForerunError[] =>
  open.map(
    (one) =>
      new ForerunError('plan-missing', {
        what: `The backfill ${one.id} is ${one.state}, ${progressText(one)}, and missing from this release.`,
        state: UNTOUCHED,
        next: `Bring its file back (was it deleted, renamed, or begun from another branch?); or give it up with ${act('cancel', one.id)} and deploy again: what it has changed stands.`,
      }),
  );

/** Nothing goes down over a backfill that holds the deploy and is half done. */
export const halfDoneBackfills = (open: readonly OpenBackfill[]): ForerunError[] =>
  open.map(
    (one) =>
      new ForerunError('plan-half-done', {
        what: `The backfill ${one.id} is half done: it is ${one.state}, ${progressText(one)}.`,
        state: UNTOUCHED,
        next: `Finish it first with the action up; or give it up with ${act('cancel', one.id)} and go down again: what it has changed stands, because its own down is for one that was done.`,
      }),
  );

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

function stoppedOf({ id, backfill, checksum }: Migration, open: OpenBackfill | undefined): ForerunError[] {
  if (backfill === undefined || open === undefined || isOpen(open.state)) return [];
  const rewrite = rewriteOfOpen(open, backfill);
  if (open.checksum === checksum) return [refused(id, stoppedText(open), waysOut(open, rewrite))];
  // It was given up, or it would have been refused for its file before.
  return rewrite === 'traceless' ? [changed(open, rewrite)] : [];
}

function neededOf(
  { id }: Migration,
  need: string,
  history: readonly Migration[],
  open: OpenBackfill | undefined,
): ForerunError[] {
  const needed = history.find((one) => one.id === need);
  if (needed?.backfill === undefined) {
    return [
      refused(
        id,
        `${id} needs ${need}, which is no backfill of this history.`,
        'Mend `needs` in the migration.',
      ),
    ];
  }
  if (open === undefined) return [];
  if (!isOpen(open.state)) {
    const rewrite = rewriteOfOpen(open, needed.backfill);
    if (rewrite === 'anew' && open.checksum !== needed.checksum) return [];
    const next = waysOut(open, rewrite);
    return [refused(id, `${id} needs ${need}. ${stoppedText(open)}`, next)];
  }
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
export function waysOut({ id, state }: Pick<OpenBackfill, 'id' | 'state'>, rewrite: Rewrite): string {
  const on = `Mend the cause and let it go on with ${act(state === 'paused' ? 'resume' : 'retry', id)}`;
  const given = state === 'cancelled' ? '' : `give it up with ${act('cancel', id)}`;
  switch (rewrite) {
    case 'anew':
      return `${on}; or, where its file is wrong, mend that${given === '' ? '' : `, ${given}`}, and deploy again: it then begins anew, and what it has changed stands.`;
    case 'traceless':
      return `${on}; or, where its file is wrong, ${given === '' ? '' : `${given}, and `}${REST_ELSEWHERE}.`;
    case 'applied':
      return `${on}; or, where its file is wrong, ${given === '' ? '' : `${given}, and `}put what is left into a backfill of another name, which later migrations then need.`;
  }
}

/** Where a file that is changed cannot begin anew, because rows would be changed twice. */
const REST_ELSEWHERE =
  'delete its file and do what is left in a backfill of another name, whose where leaves out the rows that were changed';

const act = (action: string, id: string): string => `{"action":"${action}","backfill":"${id}"}`;

function refused(migration: string, what: string, next: string): ForerunError {
  return new ForerunError('backfill-refused', { what, state: UNTOUCHED, next }, { place: { migration } });
}
