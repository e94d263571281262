import {
  backfillRefusals,
  changedBackfills,
  halfDoneBackfills,
  missingBackfills,
} from './backfill/refusals.ts';
import { ForerunError, UNTOUCHED } from './errors.ts';
import type { OpenBackfill } from './backfill/open-backfill.ts';
import { JOURNAL_VERSION, type ForeignMigration, type JournalView } from './journal.ts';
import { environmentRefusals, forEnvironment, passedOver } from './environment.ts';
import type { Unfinished } from './ledger.ts';
import { list } from './list.ts';
import { BASE, HEAD, type Atomic, type Migration, type Phase } from './migration.ts';
import { inDeployOrder, isAfter, shareOf } from './phase.ts';

/** Where a run shall bring the database. */
export interface Goal {
  readonly direction: 'up' | 'down';
  /** `head`, `base` or the id of a migration; `down` leaves the named one applied. */
  readonly to: string;
  /** `migration` gives every migration a transaction of its own. */
  readonly atomic: Atomic;
  /** Name of the environment, for migrations that are limited to some. */
  readonly environment?: string;
  /** On the way up: only what a deploy does before its app is live, or only what it does after that. @default both */
  readonly phase?: Phase;
  /** On the way down: exactly these go, together in one transaction or not at all. */
  readonly only?: ReadonlySet<string>;
}

/** What a run would do, as data. */
export interface Plan {
  readonly direction: 'up' | 'down';
  /** Migrations that commit together stand in one group; groups run in this order. */
  readonly groups: readonly (readonly Migration[])[];
  /** Pending migrations that this run leaves to the one after the app is live. */
  readonly waiting: readonly string[];
  /** Why nothing may be done; empty when the plan may run. */
  readonly refusals: readonly ForerunError[];
}

/** Compares what the bundle holds (in history order) with what the journal says, and states the way to the goal. */
export function makePlan(
  history: readonly Migration[],
  view: JournalView,
  goal: Goal,
  repeatables: readonly Migration[] = [],
): Plan {
  const refusals = [
    ...changedBackfills(history, view),
    ...journalRefusals(history, view),
    ...halfDoneRefusals(view, goal),
    ...targetRefusals(history, goal),
  ];
  const { direction, phase } = goal;
  if (refusals.length > 0) return { direction, groups: [], waiting: [], refusals };
  const pending = direction === 'up' ? upSteps(history, view, goal) : [];
  const share = shareOf(pending, phase, view.fresh);
  const { waiting } = share;
  const steps =
    direction === 'up'
      ? [...share.steps, ...staleSteps(repeatables, view, goal)]
      : downSteps(history, view, goal);
  // What waits is looked at already: a deploy that cannot come to its end should not begin.
  const looked = phase === 'before' ? [...new Set([...pending, ...steps])] : steps;
  const stepRefusals = [
    ...(direction === 'up'
      ? [
          ...environmentRefusals(looked, goal),
          ...share.refusals,
          ...lateRefusals(history, view, steps),
          ...backfillRefusals(steps, history, view),
        ]
      : irreversibleRefusals(steps)),
    ...looked.flatMap(({ refusal, skipped }) => (refusal === undefined || skipped === true ? [] : [refusal])),
  ];
  if (stepRefusals.length > 0) return { direction, groups: [], waiting, refusals: stepRefusals };
  const groups = groupsOf(steps, goal, unfinishedBackfills(history, view));
  const refused = goal.only === undefined ? [] : revertRefusals(history, view, groups, goal.only);
  return { direction, groups: refused.length > 0 ? [] : groups, waiting, refusals: refused };
}

/** Migrations of the journal that come after this bundle's own end: the database is ahead of this release. */
export function aheadOf(history: readonly Migration[], view: JournalView): readonly ForeignMigration[] {
  const known = new Set(history.map(({ id }) => id));
  const ahead: ForeignMigration[] = [];
  let grew = true;
  while (grew) {
    const next = view.foreign.filter(
      ({ id, after }) =>
        // A root that is not ours belongs to another history, unless we have none yet.
        (after.length > 0 || history.length === 0) &&
        !ahead.some((one) => one.id === id) &&
        after.every((parent) => known.has(parent) || ahead.some((one) => one.id === parent)),
    );
    ahead.push(...next);
    grew = next.length > 0;
  }
  return ahead;
}

function journalRefusals(history: readonly Migration[], view: JournalView): ForerunError[] {
  if (view.version > JOURNAL_VERSION) {
    return [
      new ForerunError('journal-unreadable', {
        what: `The journal in schema forerun has version ${view.version}, this release of Forerun writes version ${JOURNAL_VERSION}.`,
        state: UNTOUCHED,
        next: 'Use the newer release of Forerun that upgraded the journal.',
      }),
    ];
  }
  const refusals: ForerunError[] = [];
  if (view.vanished.length > 0) {
    refusals.push(
      new ForerunError('journal-tampered', {
        what: `The journal's events say that they are applied, but its rows are gone: ${list(view.vanished)}.`,
        state: UNTOUCHED,
        next: 'Look whether their effect is in the database. If it is, bring the rows back with {"action":"repair","reason":"…"}; if not, say so with {"action":"stamp","to":"…","reason":"…","confirm":"<database>"}.',
      }),
    );
  }
  if (view.changed.length > 0) {
    refusals.push(
      new ForerunError('plan-changed', {
        what: `Changed after being applied: ${list(view.changed)}.`,
        state: UNTOUCHED,
        next: 'Restore the file as it was applied, and put the change into a new migration; if the change does not matter, accept it with {"action":"repair","reason":"…"}.',
      }),
    );
  }
  // A release with something of its own to apply is no older one: what the database has beside it comes from another branch.
  // What runs once the app is live may have been left by any release, so it says nothing.
  const ahead = neededBefore(history, view).length > 0 ? [] : aheadOf(history, view);
  const own = new Set(history.map(({ id }) => id));
  const isStranger = (id: string): boolean => !own.has(id) && !ahead.some((one) => one.id === id);
  const begun = halfDoneStatements(view).map(({ migration }) => migration);
  const strangers = begun.filter(isStranger);
  const missing = [
    ...view.foreign.filter(({ id }) => !ahead.some((one) => one.id === id)).map(({ id }) => id),
    ...strangers.map((id) => `${id} (half done)`),
  ];
  refusals.push(...missingBackfills(heldBackfills(view).filter(({ id }) => isStranger(id))));
  if (missing.length > 0) {
    refusals.push(
      new ForerunError('plan-missing', {
        what: `Applied, but missing from this release: ${list(missing)}.`,
        state: UNTOUCHED,
        next: 'Bring the files back (were they deleted, renamed, or applied from another branch?), or revert them with the release that holds them.',
      }),
    );
  }
  if (ahead.length > 0) {
    refusals.push(
      new ForerunError('plan-ahead', {
        what: `The database is ahead of this release by ${ahead.length}: ${list(ahead.map(({ id }) => id))}.`,
        state: UNTOUCHED,
        next: 'Run the newer release, or let the newer release revert them with the action down.',
      }),
    );
  }
  return refusals;
}

/** Migrations of this release that its app cannot do without, and that the database does not have. */
export function neededBefore(
  history: readonly Migration[],
  { pending }: Pick<JournalView, 'pending'>,
): readonly string[] {
  return history.filter((one) => pending.has(one.id) && !isAfter(one)).map(({ id }) => id);
}

/** Migrations outside a transaction that stopped on their way, and the way on which they are. */
export function halfDone(view: JournalView): ReadonlyMap<string, 'up' | 'down'> {
  return new Map([
    ...halfDoneStatements(view).map(({ migration, direction }) => [migration, direction] as const),
    ...heldBackfills(view).map(({ id }) => [id, 'up'] as const),
  ]);
}

const halfDoneStatements = ({ unfinished }: JournalView): readonly Unfinished[] =>
  unfinished.filter(({ done, open }) => done > 0 || open !== null);

/** Backfills that hold the deploy and were begun. */
const heldBackfills = ({ backfills }: JournalView): readonly OpenBackfill[] =>
  backfills.filter(({ hold, claimed, state }) => hold && !claimed && state !== 'cancelled');

/** Backfills that later migrations cannot count on yet. */
export function unfinishedBackfills(
  history: readonly Migration[],
  view: Pick<JournalView, 'pending' | 'backfills'>,
): ReadonlySet<string> {
  const pending = history.filter(({ id, backfill }) => backfill !== undefined && view.pending.has(id));
  return new Set([...view.backfills, ...pending].map(({ id }) => id));
}

/** What is half done is finished in its own direction before anything goes the other way. */
function halfDoneRefusals(view: JournalView, { direction }: Goal): ForerunError[] {
  const held = direction === 'down' ? halfDoneBackfills(heldBackfills(view)) : [];
  const stuck = halfDoneStatements(view)
    .filter((one) => one.direction !== direction)
    .map(({ migration }) => migration);
  if (stuck.length === 0) return held;
  const [was, other] = direction === 'up' ? ['reverted', 'down'] : ['applied', 'up'];
  return [
    ...held,
    new ForerunError('plan-half-done', {
      what: `Half ${was} outside a transaction: ${list(stuck)}.`,
      state: UNTOUCHED,
      next: `Finish it first with the action ${other}; or finish or undo it by hand and say so with {"action":"stamp","to":"…","reason":"…","confirm":"<database>"}.`,
    }),
  ];
}

function targetRefusals(history: readonly Migration[], { direction, to }: Goal): ForerunError[] {
  const words = direction === 'up' ? [HEAD] : [BASE];
  if (words.includes(to) || history.some(({ id }) => id === to)) return [];
  return [unknownTarget(to, words)];
}

function unknownTarget(to: string, words: readonly string[]): ForerunError {
  return new ForerunError('plan-unknown-target', {
    what: `There is no migration "${to}" in this release.`,
    state: UNTOUCHED,
    next: `Name one of its migrations in full, or "${words.join('" or "')}"; the action status lists them.`,
  });
}

/** What the journal says when it is stamped with a target. */
export function stampedBy(history: readonly Migration[], to: string): ReadonlySet<string> {
  if (to === BASE) return new Set();
  if (to === HEAD) return new Set(history.map(({ id }) => id));
  if (history.some(({ id }) => id === to)) return ancestry(history, to);
  throw unknownTarget(to, [BASE, HEAD]);
}

function upSteps(
  history: readonly Migration[],
  view: JournalView,
  { to, environment }: Goal,
): readonly Migration[] {
  const wanted = to === HEAD ? null : ancestry(history, to);
  return history
    .filter(({ id }) => view.pending.has(id) && (wanted === null || wanted.has(id)))
    .map((step) => forEnvironment(step, environment));
}

/** Repeatables speak of the schema at the head; on the way to another place they would meet a schema they do not know. */
function staleSteps(
  repeatables: readonly Migration[],
  view: JournalView,
  { to, environment, phase }: Goal,
): readonly Migration[] {
  // The app that goes live counts on them, so the run before it has done them.
  if (to !== HEAD || phase === 'after') return [];
  return repeatables.filter(({ id }) => view.stale.has(id)).map((step) => forEnvironment(step, environment));
}

function downSteps(
  history: readonly Migration[],
  view: JournalView,
  { to, only }: Goal,
): readonly Migration[] {
  const kept = to === BASE ? new Set<string>() : ancestry(history, to);
  const steps = history
    .filter(({ id }) => !view.pending.has(id) && !kept.has(id) && (only?.has(id) ?? true))
    .map((step) => (view.skipped.has(step.id) ? passedOver(step) : step));
  return inDeployOrder(steps).toReversed();
}

/** A migration and everything it stands on. */
function ancestry(history: readonly Migration[], id: string): ReadonlySet<string> {
  const members = new Set([id]);
  for (const migration of history.toReversed()) {
    if (members.has(migration.id)) for (const parent of migration.after) members.add(parent);
  }
  return members;
}

/** A pending migration below an applied one would run in an order that no rehearsal has seen. */
function lateRefusals(
  history: readonly Migration[],
  view: JournalView,
  steps: readonly Migration[],
): ForerunError[] {
  const followers = appliedFollowers(history, view);
  return steps.flatMap(({ id }) => {
    const follower = followers.get(id);
    if (follower === undefined) return [];
    return [
      new ForerunError(
        'plan-late',
        {
          what: `${id} comes late: ${follower}, which stands after it in the history, is already applied.`,
          state: UNTOUCHED,
          next: `Give ${id} the present head as its parent, so that it runs last here as everywhere.`,
        },
        { place: { migration: id } },
      ),
    ];
  });
}

/** Nobody watches a revert, so it takes back all or nothing, and nothing that something else stands on. */
function revertRefusals(
  history: readonly Migration[],
  view: JournalView,
  groups: readonly (readonly Migration[])[],
  only: ReadonlySet<string>,
): ForerunError[] {
  const base = history.find(({ id, after }) => {
    const stays = !view.pending.has(id) && !only.has(id);
    return stays && after.some((parent) => only.has(parent));
  });
  const alone = groups.length > 1 ? groups.flat() : groups.flat().filter((step) => step.alone !== undefined);
  const what =
    base === undefined
      ? `The way down does not fit into one transaction: ${list(alone.map(({ id }) => id))}.`
      : `${base.id}, which stays, stands on what was to be reverted.`;
  if (base === undefined && alone.length === 0) return [];
  return [
    new ForerunError('plan-not-together', {
      what,
      state: UNTOUCHED,
      next: 'Go down step by step with the action down, or write a new migration that mends what they did.',
    }),
  ];
}

/** For each migration below an applied one, the nearest such; one pass, because histories grow to thousands. */
function appliedFollowers(history: readonly Migration[], view: JournalView): ReadonlyMap<string, string> {
  const followers = new Map<string, string>();
  for (const { id, after } of history.toReversed()) {
    const follower = view.pending.has(id) ? followers.get(id) : id;
    if (follower !== undefined) for (const parent of after) followers.set(parent, follower);
  }
  return followers;
}

function irreversibleRefusals(steps: readonly Migration[]): ForerunError[] {
  return steps.flatMap(({ id, down }) =>
    down.kind === 'reversible'
      ? []
      : [
          new ForerunError(
            'plan-irreversible',
            {
              what: `${id} cannot be reverted: ${down.why.replace(/[.\s]+$/, '')}.`,
              state: UNTOUCHED,
              next: `Go down no further than to ${id}, or write a new migration that mends what it did.`,
            },
            { place: { migration: id } },
          ),
        ],
  );
}

function groupsOf(
  steps: readonly Migration[],
  { atomic, direction }: Pick<Goal, 'atomic' | 'direction'>,
  unfinished: ReadonlySet<string>,
): readonly (readonly Migration[])[] {
  const groups: Migration[][] = [];
  let open: Migration[] | null = null;
  for (const step of steps) {
    const held = direction === 'up' && step.backfill?.hold === true && step.skipped !== true;
    // What a backfill must be done for cannot share a transaction with what comes before it.
    if (direction === 'up' && step.needs?.some((need) => unfinished.has(need)) === true) open = null;
    if (atomic === 'migration' || step.atomic === 'migration' || step.alone !== undefined || held) {
      groups.push([step]);
      open = null;
    } else if (open === null) {
      open = [step];
      groups.push(open);
    } else {
      open.push(step);
    }
  }
  return groups;
}
