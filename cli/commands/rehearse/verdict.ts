import { wrap } from '../../rehearsal/wrap.ts';
import type { Played, PlayedStack } from './play.ts';
import { percentText } from '../../runner/progress-bar.ts';
import type { DatabaseStanding, UndoneBackfill } from './standing-of-database.ts';

/** What the real deploy would come to. */
export type Verdict = 'goes through' | 'comes home' | 'is denied' | 'gets stuck' | 'not rehearsed';

/** Exit code by verdict. */
export const EXIT_CODES = {
  'goes through': 0,
  'comes home': 1,
  'is denied': 1,
  'not rehearsed': 2,
  'gets stuck': 3,
} as const satisfies Record<Verdict, number>;

/** The worst that happened counts. */
export function verdictOf(played: readonly Played[]): Verdict {
  const stacks = played.flatMap(({ stacks }) => stacks);
  if (stacks.some(({ status }) => status.endsWith('_FAILED'))) return 'gets stuck';
  if (stacks.some(({ status }) => status === 'DENIED')) return 'is denied';
  if (stacks.some(({ reason }) => reason !== null)) return 'comes home';
  const isUnsaid = played.some(({ failedBefore, unmet }) => failedBefore !== null || unmet.length > 0);
  return isUnsaid ? 'not rehearsed' : 'goes through';
}

/** The last lines of a rehearsal: what would come of the deploy, how the database stands, what to do next. */
export function tellVerdict(played: readonly Played[], write: (line: string) => void): void {
  const stacks = played.flatMap((one) => one.stacks);
  const failedBefore = played.flatMap((one) => one.failedBefore ?? []);
  const unmet = played.flatMap((one) => one.unmet);
  write('');
  for (const stack of stacks) tellStack(stack, write);
  tellDenied(played, write);
  tellPassedOver(played, write);
  switch (verdictOf(played)) {
    case 'goes through':
      write('The deploy would go through. Nothing was sent to AWS, and nothing is left running.');
      break;
    case 'comes home':
      write('The deploy would fail, and the stack would come home.');
      write(`Next: ${unmetOr(unmet, `${wayOut(played)}, and rehearse again.`)}`);
      break;
    case 'is denied':
      write('The deploy would fail for want of a grant; its rollback was not rehearsed.');
      write('Next: grant what is missing, and rehearse again.');
      break;
    case 'gets stuck':
      write('The deploy would fail, and the stack would be stuck.');
      write('Next: mend what failed first, and rehearse again. docs/deploys.md tells the ways out on AWS.');
      break;
    case 'not rehearsed':
      for (const { stack, reason } of failedBefore) {
        const text = `The release that stands (--from) does not deploy here: ${stack}: ${reason}`;
        for (const line of wrap('', text)) write(line);
        write('Next: let --from name a release that does.');
      }
      if (unmet.length > 0) write(`Next: ${unmetOr(unmet, '')}`);
      break;
  }
}

function tellStack(
  { stack, status, place, kind, reason, databases }: PlayedStack,
  write: (line: string) => void,
): void {
  const name = place === null ? stack : `${stack} in ${place}`;
  if (status === 'DENIED') {
    write(`Stack ${name}: ended where a grant was missing`);
    return;
  }
  write(`Stack ${name}: ${kind === 'no-changes' ? 'nothing to change' : status}`);
  if (reason !== null) for (const line of wrap('  failed first: ', reason)) write(line);
  if (databases.length === 0 && status === 'ROLLBACK_COMPLETE') write('  it is gone again, with its runner');
  for (const database of databases) {
    for (const line of wrap('  ', databaseText(database))) write(line);
    for (const one of database.undone) for (const line of undoneLines(one, database.worker)) write(line);
  }
}

function databaseText({ construct, head, applied, pending, ahead }: DatabaseStanding): string {
  const count = `${applied.length} ${applied.length === 1 ? 'migration' : 'migrations'} applied`;
  const last = applied.at(-1);
  const away = [
    ...(ahead.length === 0 ? [] : [`ahead of the release in use by ${ahead.join(', ')}`]),
    ...(pending.length === 0 ? [] : [`pending: ${pending.join(', ')}`]),
  ];
  const where =
    away.length === 0 ? `the database is where the release in use expects it (${head})` : away.join('; ');
  return `${construct}: ${last === undefined ? count : `${count}, up to ${last}`}; ${where}`;
}

/** A backfill that the deploy leaves behind, and who goes on with it. */
function undoneLines(one: UndoneBackfill, worker: boolean): readonly string[] {
  const { id, state, share, reason } = one;
  if (state === 'paused' || state === 'failed') {
    const why = reason === null ? '.' : `: ${reason.replace(/\.$/, '')}.`;
    return wrap(
      '  ',
      `${id} is ${state}${why} Mend it, and rehearse again: on AWS it would stop there, too.`,
    );
  }
  const far = share === null ? '' : ` (${percentText(share)})`;
  const next = worker
    ? 'on AWS the worker goes on with it, and forerun backfill watch shows how far it is'
    : 'on AWS forerun backfill work goes on with it, or the next deploy';
  return wrap('  ', `${id} is not done yet${far}: ${next}.`);
}

function tellDenied(played: readonly Played[], write: (line: string) => void): void {
  const all = played.flatMap(({ denied }) =>
    denied.map(({ roleArn, action, resource }) => `${roleArn.split('/').at(-1)}: ${action} on ${resource}`),
  );
  if (all.length === 0) return;
  write('Grants that were missing:');
  for (const one of new Set(all)) for (const line of wrap('  ', one)) write(line);
}

function tellPassedOver(played: readonly Played[], write: (line: string) => void): void {
  const all = [...new Set(played.flatMap(({ passedOver }) => passedOver))];
  if (all.length === 0) return;
  write('');
  write('Passed over:');
  for (const one of all) for (const line of wrap('  ', one)) write(line);
  write('');
}

const wayOut = (played: readonly Played[]): string =>
  played.some(({ denied }) => denied.length > 0) ? 'grant what is missing' : 'mend what failed first';

const unmetOr = (unmet: readonly string[], otherwise: string): string =>
  unmet.length === 0
    ? otherwise
    : `this deploy does not touch ${unmet.join(', ')}, so nothing failed there; name a resource that it changes.`;
