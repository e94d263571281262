import type { Dialect, JournalView, RunIdentity } from './journal.ts';
import { viewOf } from './journal.ts';
import { DatabaseFailure } from './database-failure.ts';
import { errorData, type RunError } from './outcome.ts';
import { halfDone, makePlan, type Goal } from './plan.ts';
import type { Migration } from './migration.ts';
import type { Database, Row } from './ports.ts';

/** What a person sees who asks where the database stands. Reading never installs or changes anything. */
export interface Status {
  /** False when no run has ever worked here. */
  readonly installed: boolean;
  readonly head: string;
  readonly applied: readonly AppliedMigration[];
  readonly pending: readonly string[];
  /** Repeatables that the next run repeats. */
  readonly stale: readonly string[];
  readonly changed: readonly string[];
  /** Applied according to the events, but their rows were deleted from the journal. */
  readonly vanished: readonly string[];
  /** Applied, but not in this release. */
  readonly foreign: readonly string[];
  /** Migrations outside a transaction that stopped on their way: how many of their statements stand. */
  readonly halfDone: readonly {
    readonly migration: string;
    readonly direction: 'up' | 'down';
    readonly done: number;
    /** A statement that was started and whose end nobody has seen yet. */
    readonly open: number | null;
  }[];
  readonly holder: {
    readonly runId: string;
    readonly owner: string | null;
    readonly deployId: string | null;
    readonly since: string;
    readonly live: boolean;
  } | null;
}

export interface AppliedMigration {
  readonly id: string;
  readonly appliedAt: string;
  readonly deployId: string | null;
  /** It was not meant for this environment: its row is there, its code did not run. */
  readonly skipped: boolean;
}

/** A plan as plain data. */
export interface PlanData {
  readonly direction: 'up' | 'down';
  /** Ids; each inner list commits together. */
  readonly groups: readonly (readonly string[])[];
  /** What the migrations among them that are made of operations would do, by name; `down` takes them back from the last. */
  readonly operations: Readonly<Record<string, readonly string[]>>;
  readonly refusals: readonly RunError[];
}

/** One run as `history` lists it. */
export interface RunData {
  readonly id: string;
  readonly action: string;
  /** Id of the stack and of the resource for which a deploy asked; null for a person's ask. */
  readonly owner: string | null;
  readonly deployId: string | null;
  /** The commit that the deploy was made from, where its template tells. */
  readonly commit: string | null;
  /** Who a person said to be, unchecked: Lambda does not tell a function who invokes it. */
  readonly by: string | null;
  /** The alias or version through which the runner was asked. */
  readonly through: string | null;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  /** From taking the lease to the end; null while it has not ended. */
  readonly milliseconds: number | null;
  readonly outcome: string | null;
  /** Rows that it wrote and that stand; null where nobody counted. */
  readonly rows: number | null;
  /** Data API calls that it sent; null as above. */
  readonly dataApiCalls: number | null;
  /** Why it did not reach its goal; null where it did. */
  readonly error: { readonly code: string; readonly what: string } | null;
  /** Why a person intervened; null for a run. */
  readonly reason: string | null;
  readonly applied: readonly string[];
  /** Recorded without having run, because they were not meant for this environment. */
  readonly skipped: readonly string[];
  /** Repeatables that ran. */
  readonly repeated: readonly string[];
  readonly reverted: readonly string[];
}

interface Asker {
  readonly identity: Pick<RunIdentity, 'history'>;
  readonly history: readonly Migration[];
  /** @default none */
  readonly repeatables?: readonly Migration[];
}

export async function status(asker: Asker, database: Database, dialect: Dialect): Promise<Status> {
  const view = await look(asker, database, dialect);
  const rows =
    view === null
      ? []
      : (await database.execute(dialect.applied({ history: asker.identity.history }), { rows: true })).rows;
  return {
    installed: view !== null,
    head: asker.history.at(-1)?.id ?? 'base',
    applied: rows.map((row) => ({
      id: text(row, 'id'),
      appliedAt: text(row, 'applied_at'),
      deployId: textOrNull(row, 'deploy_id'),
      skipped: row['skipped'] === true,
    })),
    pending: pendingOf(asker.history, view),
    stale: (asker.repeatables ?? [])
      .filter(({ id }) => view === null || view.stale.has(id))
      .map(({ id }) => id),
    changed: view?.changed ?? [],
    vanished: view?.vanished ?? [],
    foreign: view?.foreign.map(({ id }) => id) ?? [],
    halfDone: view === null ? [] : halfDoneOf(view),
    holder: view?.holder ?? null,
  };
}

export async function plan(
  asker: Asker,
  goal: Goal,
  database: Database,
  dialect: Dialect,
): Promise<PlanData> {
  const view = (await look(asker, database, dialect)) ?? blank(asker.history, asker.repeatables ?? []);
  const { direction, groups, refusals } = makePlan(asker.history, view, goal, asker.repeatables);
  return {
    direction,
    groups: groups.map((group) => group.map(({ id }) => id)),
    operations: Object.fromEntries(
      groups.flat().flatMap(({ id, operations }) => (operations === undefined ? [] : [[id, operations]])),
    ),
    refusals: refusals.map((refusal) => errorData(refusal)),
  };
}

export async function pastRuns(
  asker: Asker,
  limit: number,
  database: Database,
  dialect: Dialect,
): Promise<readonly RunData[]> {
  if ((await look(asker, database, dialect)) === null) return [];
  const { rows } = await database.execute(dialect.runs({ history: asker.identity.history, limit }), {
    rows: true,
  });
  return rows.map((row) => {
    // Built by our own statement in the dialect.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const events = row['events'] as unknown as readonly (readonly [string, string])[];
    const of = (kind: string): string[] =>
      events.filter(([one]) => one === kind).map(([, migration]) => migration);
    return {
      id: text(row, 'id'),
      action: text(row, 'action'),
      owner: textOrNull(row, 'owner'),
      deployId: textOrNull(row, 'deploy_id'),
      commit: textOrNull(row, 'commit_id'),
      by: textOrNull(row, 'asked_by'),
      through: textOrNull(row, 'asked_through'),
      startedAt: text(row, 'started_at'),
      finishedAt: textOrNull(row, 'finished_at'),
      milliseconds: countOrNull(row, 'milliseconds'),
      outcome: textOrNull(row, 'outcome'),
      rows: countOrNull(row, 'rows'),
      dataApiCalls: countOrNull(row, 'calls'),
      error:
        row['error_code'] === null
          ? null
          : { code: text(row, 'error_code'), what: textOrNull(row, 'error_what') ?? '' },
      reason: textOrNull(row, 'reason'),
      applied: of('applied'),
      skipped: of('skipped'),
      repeated: of('repeated'),
      reverted: of('reverted'),
    };
  });
}

/** Null when the journal is not installed. */
async function look(
  { identity, history, repeatables = [] }: Asker,
  database: Database,
  dialect: Dialect,
): Promise<JournalView | null> {
  const question = dialect.read({ history: identity.history, bundle: history, repeatables, reader: null });
  try {
    return viewOf((await database.execute(question, { rows: true })).rows);
  } catch (cause) {
    if (cause instanceof DatabaseFailure && dialect.lacksJournal(cause)) return null;
    throw cause;
  }
}

/** What the journal would show if it were installed and empty. */
function blank(history: readonly Migration[], repeatables: readonly Migration[]): JournalView {
  return {
    version: 0,
    token: 0n,
    revision: 0n,
    holder: null,
    appliedCount: 0,
    pending: new Set(history.map(({ id }) => id)),
    stale: new Set(repeatables.map(({ id }) => id)),
    changed: [],
    vanished: [],
    skipped: new Set(),
    foreign: [],
    unfinished: [],
    backfills: [],
    asked: null,
    overruled: false,
    ended: false,
    noted: false,
  };
}

function halfDoneOf(view: JournalView): Status['halfDone'] {
  return [...halfDone(view)].map(([migration, direction]) => {
    const own = view.unfinished.find((one) => one.migration === migration);
    return {
      migration,
      direction,
      done: own?.done ?? 0,
      open: own?.open ?? null,
    };
  });
}

function pendingOf(history: readonly Migration[], view: JournalView | null): readonly string[] {
  return history.filter(({ id }) => view === null || view.pending.has(id)).map(({ id }) => id);
}

/** Our own statements make these columns text. */
function text(row: Row, column: string): string {
  const value = row[column];
  return typeof value === 'string' ? value : JSON.stringify(value);
}
const textOrNull = (row: Row, column: string): string | null =>
  row[column] === null ? null : text(row, column);
const countOrNull = (row: Row, column: string): number | null =>
  row[column] === null ? null : Number(row[column]);
