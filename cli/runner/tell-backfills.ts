import type { BackfillsShown } from '../../lambda/contract.ts';
import type { BackfillData } from '../../lambda/engine/backfill/operate.ts';
import type { Trial } from '../../lambda/engine/backfill/trial.ts';
import { wrap } from '../rehearsal/wrap.ts';
import { table } from '../terminal/table.ts';
import { countOf, countText, momentText } from '../terminal/words.ts';
import { detailOf } from './tell-one-backfill.ts';
import { hintText, paceText, percentText, rowsText } from './progress-bar.ts';

/** Every backfill with how far it is, and the way out where one has stopped. */
export function tellBackfills({ backfills, more = 0 }: BackfillsShown): readonly string[] {
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
    ...(more === 0
      ? []
      : [`and ${countText(more)} more; forerun backfill list <backfill> shows each of them by its name`]),
    ...backfills.flatMap((one) => [
      ...paragraph([...tuning(one), ...standstill(one), ...eventsOf(one)]),
      ...detailOf(one),
    ]),
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

function tuning(backfill: BackfillData): readonly string[] {
  const { id, state } = backfill;
  if (state !== 'enqueued' && state !== 'running') return [];
  return [hintText(backfill), settingsText(backfill)]
    .filter((text) => text !== '')
    .flatMap((text) => wrap('', `${id}: ${text}`));
}

function settingsText({
  mostRows,
  pauseMs,
  parallel,
}: Pick<BackfillData, 'mostRows' | 'pauseMs' | 'parallel'>): string {
  const rows = mostRows === null ? 'as many rows as fit its time' : `at most ${countOf(mostRows, 'row')}`;
  return `${rows} a batch, a pause of at least ${countText(pauseMs)} ms, ${countText(parallel)} in parallel`;
}

/** The newest; `--json` has them all. */
const EVENTS_SHOWN = 5;

function eventsOf({ events }: BackfillData): readonly string[] {
  const before = events.length - EVENTS_SHOWN;
  return [
    ...events
      .slice(0, EVENTS_SHOWN)
      .flatMap((event) => wrap(`  ${momentText(event.at)}  `, eventText(event))),
    ...(before > 0 ? [`  and ${before} before`] : []),
  ];
}

function eventText({ move, to, by, reason, settings }: BackfillData['events'][number]): string {
  return [
    move === 'tune' && settings !== null ? `tune: ${settingsText(settings)}` : `${move} → ${to}`,
    ...(by === null ? [] : [`by ${by}`]),
    ...(reason === null ? [] : [`(${reason})`]),
  ].join(' ');
}

/** One batch that was rolled back: some rows before and after. */
export function tellTrial({ backfill, changed, rows }: Trial): readonly string[] {
  const shown = rows.flatMap(({ before, after }) =>
    before === null
      ? ['', ...wrap('  new     ', JSON.stringify(after))]
      : ['', ...wrap('  before  ', JSON.stringify(before)), ...wrap('  after   ', JSON.stringify(after))],
  );
  return [
    `One batch of ${backfill} would change ${countOf(changed, 'row')}. It was rolled back: nothing of it stays.`,
    ...shown,
  ];
}

const paragraph = (lines: readonly string[]): readonly string[] => (lines.length === 0 ? [] : ['', ...lines]);

const sentence = (text: string): string => (text.endsWith('.') ? text : `${text}.`);
