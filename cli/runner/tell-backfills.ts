import type { BackfillData } from '../../lambda/engine/backfill/operate.ts';
import type { Trial } from '../../lambda/engine/backfill/trial.ts';
import { wrap } from '../rehearsal/wrap.ts';
import { table } from '../terminal/table.ts';
import { countOf, countText, momentText } from '../terminal/words.ts';
import { paceText, percentText, rowsText } from './progress-bar.ts';

/** Every backfill with how far it is, and the way out where one has stopped. */
export function tellBackfills(backfills: readonly BackfillData[]): readonly string[] {
  if (backfills.length === 0) return ['There is no backfill in the journal.'];
  const rows = backfills.map((one) => [
    one.id,
    one.state,
    one.share === null ? '' : percentText(one.share),
    rowsText(one),
    countText(one.changed),
    paceText(one),
    momentText(one.finishedAt ?? one.startedAt ?? one.enqueuedAt),
  ]);
  return [
    ...table(['backfill', 'state', 'done', 'looked at', 'changed', 'pace', 'since'], rows),
    ...backfills.flatMap((one) => paragraph([...tuning(one), ...standstill(one), ...eventsOf(one)])),
  ];
}

/** Why a backfill does not go on, and the commands that lead on from there; nothing for any other. */
export function standstill({ id, state, reason }: BackfillData): readonly string[] {
  const ways: Partial<Record<BackfillData['state'], string>> = {
    paused: `forerun backfill resume ${id} lets it go on, forerun backfill cancel ${id} gives it up.`,
    failed: `Mend the cause; then forerun backfill retry ${id} lets it go on from its cursor.`,
    cancelled: `What is done stands. forerun backfill retry ${id} takes it up again.`,
  };
  const way = ways[state];
  if (way === undefined) return [];
  return [
    ...wrap('', `${id} is ${state}${reason === null ? '.' : `: ${sentence(reason)}`}`),
    ...wrap('', way),
  ];
}

function tuning({ id, state, mostRows, pauseMs, parallel }: BackfillData): readonly string[] {
  if (state !== 'enqueued' && state !== 'running') return [];
  const rows = mostRows === null ? 'as many rows as fit its time' : `at most ${countOf(mostRows, 'row')}`;
  return [`${id}: ${rows} a batch, a pause of at least ${pauseMs} ms, ${countText(parallel)} in parallel`];
}

function eventsOf({ events = [] }: BackfillData): readonly string[] {
  return events.flatMap(({ at, move, to, by, reason }) =>
    wrap(
      `  ${momentText(at)}  `,
      [
        move,
        `→ ${to}`,
        ...(by === null ? [] : [`by ${by}`]),
        ...(reason === null ? [] : [`(${reason})`]),
      ].join(' '),
    ),
  );
}

/** One batch that was rolled back: some rows before and after. */
export function tellTrial({ backfill, changed, rows }: Trial): readonly string[] {
  const shown = rows.flatMap(({ before, after }) => [
    '',
    ...wrap('  before  ', JSON.stringify(before)),
    ...wrap('  after   ', JSON.stringify(after)),
  ]);
  return [
    `One batch of ${backfill} would change ${countOf(changed, 'row')}. It was rolled back: nothing of it stays.`,
    ...shown,
  ];
}

const paragraph = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines]);

const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);
