import type { Attributes, Verdict } from '../contract.ts';
import { failureOf } from './answers.ts';
import type { Asked } from './ask-runner.ts';

/** What a settlement found; null where the runner could not be asked. */
export function verdictOf(settled: Asked): Verdict | null {
  return settled.kind === 'answered' && 'verdict' in settled.answer ? settled.answer.verdict : null;
}

export function standingText(settled: Asked): string {
  const verdict = verdictOf(settled);
  if (verdict === null) return `Where it stands could not be read: ${failureOf(settled).reason}`;
  const { halfDone = [], stale = [], waiting = [] } = verdict;
  return [
    differenceText(verdict),
    ...(halfDone.length === 0
      ? []
      : [
          `Half done, without a transaction: ${shown(halfDone)}; the release that holds it finishes it, and a statement of it may still be at work.`,
        ]),
    ...(stale.length === 0
      ? []
      : [`In another release's form, until this one is deployed again: ${shown(stale)}.`]),
    ...(waiting.length === 0 ? [] : [`Left to the next deploy, once its app is live: ${shown(waiting)}.`]),
  ].join(' ');
}

function differenceText({ ahead, pending, halfDone = [], compatible }: Verdict): string {
  if (ahead === null) return 'Where it stands could not be read in time.';
  const works = `this release works with it: ${compatible}.`;
  const found = [
    ...(ahead.length > 0 ? [`is ahead of this release by ${ahead.length} (${shown(ahead)})`] : []),
    ...(pending.length > 0 ? [`lacks ${pending.length} of this release (${shown(pending)})`] : []),
  ];
  if (found.length > 0) return `It ${found.join(' and ')}; ${works}`;
  return halfDone.length > 0
    ? `As far as its migrations say, ${works}`
    : 'It is where this release expects it.';
}

/** As many as fit beside other sentences. */
export const shown = (ids: readonly string[]): string => ids.slice(0, 5).join(', ');

/** Whether the release that was asked is known to work with the database as it stands. */
export const isKnownToWork = (verdict: Verdict | null): boolean =>
  verdict !== null && verdict.fenced && verdict.compatible === 'yes' && (verdict.stale ?? []).length === 0;

export function standingOf(verdict: Verdict | null): Pick<Attributes, 'Ahead' | 'Compatible'> {
  return {
    Ahead: verdict?.ahead?.join(',').slice(0, 512) ?? 'unknown',
    Compatible: verdict?.compatible ?? 'unknown',
  };
}
