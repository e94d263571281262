import { ForerunError, UNTOUCHED } from './errors.ts';
import type { Migration, Phase } from './migration.ts';

/** Whether it runs only once the app is live. */
export const isAfter = ({ phase }: Pick<Migration, 'phase'>): boolean => phase === 'after';

type Step = Pick<Migration, 'id' | 'after' | 'phase' | 'needs'>;

/** What a run takes up of the pending migrations. */
export interface Share {
  readonly steps: readonly Migration[];
  /** What is left to the run after the app is live. */
  readonly waiting: readonly string[];
  readonly refusals: readonly ForerunError[];
}

/**
 * The share that a run of this phase has in what is pending (in history order); a run without a phase takes all. On a `fresh`
 * database no release of the app has ever been live, so there the first run also takes the after-migrations that before-migrations
 * stand on: they belong to releases that are long past elsewhere.
 */
export function shareOf(pending: readonly Migration[], phase: Phase | undefined, fresh: boolean): Share {
  if (phase === undefined) return { steps: pending, waiting: [], refusals: [] };
  const past = phase === 'before' && fresh ? belowBefore(pending) : new Set<string>();
  const isOurs = (step: Migration): boolean => isAfter(step) === (phase === 'after') || past.has(step.id);
  const steps = pending.filter(isOurs);
  return {
    steps,
    waiting: phase === 'before' ? pending.filter((step) => !isOurs(step)).map(({ id }) => id) : [],
    refusals: refusalsOf(
      steps,
      pending.filter((step) => !isOurs(step)),
    ),
  };
}

/** What a migration must find done, be it as a parent or as a backfill that it needs. */
const groundOf = ({ after, needs = [] }: Step): readonly string[] => [...after, ...needs];

/** The pending after-migrations that a pending before-migration stands on, however far below. */
function belowBefore(pending: readonly Step[]): ReadonlySet<string> {
  const below = new Set<string>();
  for (const step of pending.toReversed()) {
    if (isAfter(step) && !below.has(step.id)) continue;
    for (const ground of groundOf(step)) below.add(ground);
  }
  return below;
}

/** A step that stands on what another phase has yet to do cannot run now. */
function refusalsOf(steps: readonly Step[], left: readonly Step[]): readonly ForerunError[] {
  const leftOver = new Map(left.map((step) => [step.id, step]));
  const blockers = new Map<string, string>();
  return steps.flatMap((step) => {
    const blocker = groundOf(step)
      .map((id) => blockerOf(id, leftOver, blockers))
      .find((id) => id !== undefined);
    if (blocker === undefined) return [];
    blockers.set(step.id, blocker);
    return [isAfter(step) ? stillToCome(step.id, blocker) : twoDeploys(step.id, blocker)];
  });
}

const blockerOf = (
  id: string,
  left: ReadonlyMap<string, Step>,
  blockers: ReadonlyMap<string, string>,
): string | undefined => (left.has(id) ? id : blockers.get(id));

function twoDeploys(id: string, blocker: string): ForerunError {
  return refused(
    id,
    `${id} stands on ${blocker}, which is pending and runs only once the app is live (phase: 'after').`,
    `Deploy in two steps: first the release that ends with ${blocker}, then ${id}. If no older app reads what ${blocker} takes away, {"action":"up"} by hand applies both in order; or let ${blocker} stand after ${id} in the history.`,
  );
}

function stillToCome(id: string, blocker: string): ForerunError {
  return refused(
    id,
    `${id} stands on ${blocker}, which is pending and runs before the app is live.`,
    `Deploy the whole release, or apply both in order with {"action":"up"}.`,
  );
}

function refused(migration: string, what: string, next: string): ForerunError {
  return new ForerunError('plan-phase', { what, state: UNTOUCHED, next }, { place: { migration } });
}

/**
 * In the order in which deploys run them: of what does not stand on each other, before-migrations come first. The input is in
 * history order; what stands on something still comes after it.
 */
export function inDeployOrder<S extends Step>(steps: readonly S[]): readonly S[] {
  const waves = new Map<string, number>();
  for (const step of steps) {
    const ground = Math.max(0, ...step.after.map((parent) => waves.get(parent) ?? 0));
    // Even waves run before an app is live, odd ones after it.
    waves.set(step.id, ground % 2 === (isAfter(step) ? 1 : 0) ? ground : ground + 1);
  }
  return steps.toSorted((one, other) => (waves.get(one.id) ?? 0) - (waves.get(other.id) ?? 0));
}
