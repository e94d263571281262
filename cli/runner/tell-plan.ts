import type { PlanData } from '../../lambda/engine/inspect.ts';
import { countOf } from '../terminal/words.ts';

/** What a run would do. */
export function tellPlan(plan: PlanData): readonly string[] {
  const { direction, groups, after, waiting, operations, refusals } = plan;
  const count = groups.flat().length;
  const left = waiting.length === 0 ? [] : [`Left until the app is live: ${waiting.join(', ')}.`];
  if (count === 0) return refusals.length > 0 ? [] : ['Nothing to do.', ...left];
  const verb = direction === 'up' ? 'apply' : 'revert';
  const lines = groups.flatMap((group, index) => [
    groups.length === 1
      ? 'together:'
      : `group ${index + 1}, ${group.length === 1 ? 'by itself' : 'together'}:`,
    ...group.flatMap((id) => [
      `  ${id}${after.includes(id) ? ' (in a deploy only once its app is live)' : ''}`,
      ...(operations[id] ?? []).map((one) => `    ${one}`),
    ]),
  ]);
  return [`Would ${verb} ${countOf(count, 'migration')}.`, ...lines, ...left];
}
