import type { RunData } from '../../lambda/engine/inspect.ts';
import { wrap } from '../rehearsal/wrap.ts';
import { table } from '../terminal/table.ts';
import { countText, durationText, momentText } from '../terminal/words.ts';

/** The last runs, the newest first. */
export function tellRuns(runs: readonly RunData[]): readonly string[] {
  if (runs.length === 0) return ['No run has worked here yet.'];
  const rows = runs.map((run) => [
    momentText(run.startedAt),
    run.action,
    run.outcome ?? 'not ended',
    tookText(run),
    countsOf(run),
    run.deployId ?? 'by hand',
  ]);
  const more = runs.filter((run) => detailsOf(run).length > 0);
  return [
    ...table(['started', 'action', 'outcome', 'took', 'migrations', 'deploy'], rows),
    ...(more.length === 0 ? [] : ['']),
    ...more.flatMap((run) => [momentText(run.startedAt), ...detailsOf(run)]),
  ];
}

function tookText({ startedAt, finishedAt }: RunData): string {
  return finishedAt === null ? '' : durationText(Date.parse(finishedAt) - Date.parse(startedAt));
}

function countsOf({ applied, skipped, repeated, reverted }: RunData): string {
  const parts = [
    [applied, 'applied'],
    [reverted, 'reverted'],
    [skipped, 'skipped'],
    [repeated, 'repeated'],
  ] as const;
  return parts
    .filter(([ids]) => ids.length > 0)
    .map(([ids, word]) => `${countText(ids.length)} ${word}`)
    .join(', ');
}

function detailsOf({ reason, applied, skipped, repeated, reverted }: RunData): readonly string[] {
  return [
    ...(reason === null ? [] : wrap('  reason    ', reason)),
    ...named('applied', applied),
    ...named('skipped', skipped),
    ...named('repeated', repeated),
    ...named('reverted', reverted),
  ];
}

const named = (word: string, ids: readonly string[]): readonly string[] =>
  ids.length === 0 ? [] : wrap(`  ${word.padEnd(9)} `, ids.join(', '));
