import type { PlanData } from '../../lambda/engine/inspect.ts';
import { countOf } from '../terminal/words.ts';

/** What a run would do. */
export function tellPlan({ direction, groups, operations, refusals }: PlanData): readonly string[] {
  const count = groups.flat().length;
  if (count === 0) return refusals.length > 0 ? [] : ['Nothing to do.'];
  const verb = direction === 'up' ? 'apply' : 'revert';
  const lines = groups.flatMap((group, index) => [
    groups.length === 1
      ? 'together:'
      : `group ${index + 1}, ${group.length === 1 ? 'by itself' : 'together'}:`,
    ...group.flatMap((id) => [`  ${id}`, ...(operations[id] ?? []).map((one) => `    ${one}`)]),
  ]);
  return [`Would ${verb} ${countOf(count, 'migration')}.`, ...lines];
}
