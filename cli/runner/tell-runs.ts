import type { RunData } from '../../lambda/engine/inspect.ts';
import { wrap } from '../rehearsal/wrap.ts';
import { table } from '../terminal/table.ts';
import { countText, durationText, momentText } from '../terminal/words.ts';

/** Fits half a screen and a mail. */
const WIDTH = 100;
/** A name of a deploy is often a whole hash of git; what is cut here stands whole below. */
const MOST_WHO = 32;

/** The last runs, the newest first: a line each, and under it what it did and why it did not. */
export function tellRuns(runs: readonly RunData[]): readonly string[] {
  if (runs.length === 0) return ['No run has worked here yet.'];
  const rows = runs.map((run) => [
    momentText(run.startedAt),
    run.action,
    run.outcome ?? 'not ended',
    run.milliseconds === null ? '' : durationText(run.milliseconds),
    run.rows === null ? '' : countText(run.rows),
    clipped(whoText(run)),
  ]);
  const [header = '', line = '', ...lines] = table(
    ['started', 'action', 'outcome', 'took', 'rows', 'who'],
    rows,
  );
  return [header, line, ...runs.flatMap((run, index) => [lines[index] ?? '', ...detailsOf(run)])];
}

/** A deploy by its stack and name; a person by what they called themselves, and the way they came. */
function whoText({ owner, deployId, by, through }: RunData): string {
  if (owner === null) return `${by ?? 'by hand'}${through === null ? '' : ` (through ${through})`}`;
  return [stackIn(owner), ...(deployId === null ? [] : [`deploy ${deployId}`])].join(', ');
}

/** An owner is the id of a stack, which names it, and the logical id of the resource that asked. */
const stackIn = (owner: string): string => /:stack\/([^/]+)\//.exec(owner)?.[1] ?? owner;

const clipped = (text: string): string =>
  text.length <= MOST_WHO ? text : `${text.slice(0, MOST_WHO - 1)}…`;

function detailsOf(run: RunData): readonly string[] {
  const who = whoText(run);
  return [
    ...said('who', who.length > MOST_WHO ? who : null),
    ...said('commit', run.commit === run.deployId ? null : run.commit),
    ...said('reason', run.reason),
    ...said('error', run.error === null ? null : [run.error.code, run.error.what].join(': ')),
    ...said('applied', named(run.applied)),
    ...said('skipped', named(run.skipped)),
    ...said('repeated', named(run.repeated)),
    ...said('reverted', named(run.reverted)),
  ];
}

const said = (word: string, text: string | null): readonly string[] =>
  text === null ? [] : wrap(`  ${word.padEnd(9)} `, text, WIDTH);

const named = (ids: readonly string[]): string | null => (ids.length === 0 ? null : ids.join(', '));
