import type { RunResult, StepOutcome } from '../../lambda/engine/outcome.ts';
import { countOf } from '../terminal/words.ts';

/** How a run ended, step by step. */
export function tellResult({ action, steps, outcome, backfills = [], error }: RunResult): readonly string[] {
  // A run that was refused has nothing to tell but its error.
  if (error !== null && steps.length === 0) return [];
  const width = Math.max(0, ...steps.map(({ migration }) => migration.length));
  const lines = steps.map((step) => `${step.migration.padEnd(width)}  ${wordOf(step, action)}`);
  const done = steps.filter((step) => step.outcome === 'applied').length;
  const past = action === 'up' ? 'applied' : 'reverted';
  const last =
    error !== null
      ? `The run ended as ${outcome}; ${done} of ${countOf(steps.length, 'migration')} ${past}.`
      : steps.length === 0
        ? 'Nothing to do: the database stands where it shall.'
        : `${countOf(done, 'migration')} ${past}.`;
  const open =
    backfills.length === 0
      ? []
      : [
          `Not done yet: ${backfills.join(', ')}. Watch with forerun backfill watch, or work on it with forerun backfill work.`,
        ];
  return [...lines, last, ...open];
}

function wordOf({ outcome, skipped }: StepOutcome, action: RunResult['action']): string {
  if (skipped === true) return 'skipped: not meant for this environment';
  return outcome === 'applied' && action === 'down' ? 'reverted' : outcome;
}
