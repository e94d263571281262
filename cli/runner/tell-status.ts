import type { Status } from '../../lambda/engine/inspect.ts';
import { table } from '../terminal/table.ts';
import { countOf, momentText } from '../terminal/words.ts';
import { wrap } from '../rehearsal/wrap.ts';

/** The newest that are applied; `--json` has them all. */
const SHOWN = 10;

/** Where the database stands. */
export function tellStatus(status: Status): readonly string[] {
  const { installed, head, applied, pending, stale, changed, vanished, foreign, halfDone, waiting, holder } =
    status;
  const half = halfDone.map(
    ({ migration, direction, done, open }) =>
      `${migration} (${direction}): ${countOf(done, 'statement')} done${open === null ? '' : `, statement ${open} was started and its end is not seen yet`}`,
  );
  return [
    ...fact('head of this release', head),
    ...(installed ? [] : fact('journal', 'not installed: no run has ever worked here')),
    ...fact('applied', countOf(applied.length, 'migration')),
    ...fact('pending', pending.length === 0 ? 'none' : pending.join(', ')),
    ...named('once the app is live', waiting),
    ...named('repeated by the next run', stale),
    ...named('changed after applying', changed),
    ...named('rows gone from journal', vanished),
    ...named('ahead of this release', foreign),
    ...half.flatMap((one) => fact('half done', one)),
    ...fact('lease', holder === null ? 'free' : holderText(holder)),
    ...appliedTable(applied),
  ];
}

const fact = (name: string, value: string): readonly string[] => wrap(name.padEnd(24), value);

const named = (name: string, ids: readonly string[]): readonly string[] =>
  ids.length === 0 ? [] : fact(name, ids.join(', '));

function holderText({ runId, deployId, since, live }: NonNullable<Status['holder']>): string {
  const who = deployId === null ? `run ${runId}` : `run ${runId} of deploy ${deployId}`;
  return `held by ${who} since ${momentText(since)}${live ? '' : '; it has run out, the next run takes over'}`;
}

function appliedTable(applied: Status['applied']): readonly string[] {
  if (applied.length === 0) return [];
  const rows = applied
    .slice(-SHOWN)
    .map(({ id, appliedAt, deployId, skipped }) => [
      id,
      momentText(appliedAt),
      deployId ?? 'by hand',
      ...(skipped ? ['not meant for this environment'] : []),
    ]);
  const before = applied.length - rows.length;
  return [
    '',
    ...table(['applied', 'when', 'deploy', ''].slice(0, Math.max(...rows.map((row) => row.length))), rows),
    ...(before === 0 ? [] : [`and ${before} before them`]),
  ];
}
