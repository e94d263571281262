import type { RunnerAnswer } from '../../lambda/contract.ts';
import { ERROR_CODES } from '../../lambda/engine/errors.ts';
import type { RunError } from '../../lambda/engine/outcome.ts';
import { wrap } from '../rehearsal/wrap.ts';
import { countOf } from '../terminal/words.ts';
import { inCommandWords } from './command-words.ts';
import { tellBackfills, tellTrial } from './tell-backfills.ts';
import { tellPlan } from './tell-plan.ts';
import { tellResult } from './tell-result.ts';
import { tellRuns } from './tell-runs.ts';
import { tellStatus } from './tell-status.ts';

/** What went wrong according to an answer, in the order in which it is told. */
export function errorsOf(answer: RunnerAnswer): readonly RunError[] {
  if ('error' in answer) return [answer.error];
  if ('result' in answer) return answer.result.error === null ? [] : [answer.result.error];
  return 'plan' in answer ? answer.plan.refusals : [];
}

/** As `docs/errors.md` lists them. */
export function exitCodeOf(answer: RunnerAnswer): number {
  if (answer.ok) return 0;
  const code = errorsOf(answer)[0]?.code ?? ('backfills' in answer ? 'backfill-stopped' : '');
  const known: Readonly<Record<string, number>> = ERROR_CODES;
  return known[code] ?? 1;
}

/** The answer for a person; what went wrong is in `errorLines`. */
export function answerLines(answer: RunnerAnswer): readonly string[] {
  if ('status' in answer) return tellStatus(answer.status);
  if ('plan' in answer) return tellPlan(answer.plan);
  if ('runs' in answer) return tellRuns(answer.runs);
  if ('result' in answer) return tellResult(answer.result);
  if ('backfills' in answer) return tellBackfills(answer);
  if ('trial' in answer) return tellTrial(answer.trial);
  if ('unlocked' in answer) {
    const { holder } = answer.unlocked;
    return [
      holder === null
        ? 'Nobody held the lease; there was nothing to take away.'
        : `The lease is free. The run ${holder}, which held it, cannot commit any more.`,
    ];
  }
  if ('amended' in answer) return tellAmended(answer.amended);
  if ('overtaken' in answer) return ['Another run of the same deploy works; nothing was done.'];
  return [];
}

/** What happened, in what state the database is, and what to do next; then where the log is. */
export function errorLines(answer: RunnerAnswer): readonly string[] {
  const errors = errorsOf(answer);
  const lines = errors.flatMap(({ text, place }) => [
    ...[text.what, text.state, text.next].flatMap((one) => wrap('', inCommandWords(one))),
    ...(place.sql === undefined ? [] : statementLines(place.sql)),
  ]);
  return lines.length === 0 ? [] : [...lines, `Log: ${answer.log}`];
}

/** As it is written: with its own lines, and how far they are set in. */
const statementLines = (sql: string): readonly string[] =>
  sql.split('\n').flatMap((line, at) => {
    const text = line.trimStart();
    return wrap((at === 0 ? 'Statement: ' : ' '.repeat(11)) + ' '.repeat(line.length - text.length), text);
  });

function tellAmended({
  put,
  removed,
  forgotten,
}: Extract<RunnerAnswer, { readonly amended: unknown }>['amended']): readonly string[] {
  const parts = [
    ...told(put, 'row', 'written'),
    ...told(removed, 'row', 'removed'),
    ...told(forgotten, 'half-done migration', 'forgotten'),
  ];
  return parts.length === 0
    ? ['The journal was right already; nothing was changed.']
    : [...parts, 'No migration ran: only the journal was changed.'];
}

const told = (ids: readonly string[], word: string, past: string): readonly string[] =>
  ids.length === 0 ? [] : wrap('', `${countOf(ids.length, word)} ${past}: ${ids.join(', ')}`);
