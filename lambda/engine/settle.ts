import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import { JOURNAL_VERSION, type Dialect, type JournalView, type RunIdentity } from './journal.ts';
import { bidFor, readJournal, releaseLease, repeatable, waitForTurn } from './lease.ts';
import type { RunLimits } from './limits.ts';
import type { Migration } from './migration.ts';
import { isAfter } from './phase.ts';
import { aheadOf, halfDone, neededBefore } from './plan.ts';
import type { Ports } from './ports.ts';

export interface SettleRequest {
  readonly identity: RunIdentity & { readonly action: 'settle' };
  readonly history: readonly Migration[];
  readonly repeatables?: readonly Migration[];
  readonly deadlineMs: number;
  readonly limits: RunLimits;
}

/** Where a rollback leaves the database, seen from the release that goes live again. */
export interface Verdict {
  /** True when no earlier run of this history can commit any more. */
  readonly fenced: boolean;
  /** Migrations that the database has and this release does not; null when it could not be read. */
  readonly ahead: readonly string[] | null;
  /** Migrations of this release that the database does not have, but for those that wait for its app to be live. */
  readonly pending: readonly string[];
  /** Whether this release works on that database, as far as its migrations say. */
  readonly compatible: 'yes' | 'no' | 'unknown';
  /** Migrations without a transaction that stand half way; absent in the answers of runners before this member was added. */
  readonly halfDone?: readonly string[];
  /** Repeatables of this release of which the database holds another form, or none; absent as above. */
  readonly stale?: readonly string[];
  /** Migrations of this release that a deploy of it runs once its app is live; absent where there are none. */
  readonly waiting?: readonly string[];
  readonly dataApiCalls: number;
}

/**
 * A rollback keeps the database as it is. The fence is raised first; only then what the journal shows stays true.
 */
export async function settle(request: SettleRequest, ports: Ports, dialect: Dialect): Promise<Verdict> {
  const callsBefore = ports.database.calls();
  const verdict = (facts: Omit<Verdict, 'dataApiCalls'>): Verdict => ({
    ...facts,
    dataApiCalls: ports.database.calls() - callsBefore,
  });
  try {
    const raised = await raiseFence(request, [], ports, dialect);
    if (raised === null) return verdict(NOTHING_KNOWN);
    const found = verdict({ fenced: true, ...standing(request.history, raised.view) });
    const end = { outcome: 'settled', result: found };
    await releaseLease(request.identity, raised.token, end, ports, dialect);
    return verdict(found);
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure) && !(cause instanceof ForerunError)) throw cause;
    return verdict(NOTHING_KNOWN);
  }
}

/**
 * Ends every earlier run of the asker's owner, and of the other owners named: first they are overruled, so that what they have
 * not begun they cannot begin any more; then the lease is taken even from a living holder, as soon as its open transaction is
 * over. The lease is the asker's afterwards. Null where a newer release has upgraded the journal: nothing may be written into
 * what this one does not know.
 */
export async function raiseFence(
  asker: SettleRequest,
  others: readonly string[],
  ports: Ports,
  dialect: Dialect,
): Promise<{ readonly view: JournalView; readonly token: bigint } | null> {
  const first = await readJournal(asker, ports, dialect);
  if (first.version > JOURNAL_VERSION) return null;
  await repeatable(dialect.overrule(asker.identity), ports);
  for (const owner of others) await repeatable(dialect.overrule({ ...asker.identity, owner }), ports);
  for (let turn = 0; ; turn += 1) {
    const view = await readJournal(asker, ports, dialect);
    const token = await bidFor(view, asker, ports, dialect, { force: true });
    if (token !== null) return { view, token };
    await waitForTurn(view, asker, ports, turn);
  }
}

const NOTHING_KNOWN = { fenced: false, ahead: null, pending: [], compatible: 'unknown' } as const;

/** Which migrations the database is ahead by, and what they say about the release before them. */
function standing(
  history: readonly Migration[],
  view: JournalView,
): Pick<Verdict, 'ahead' | 'pending' | 'compatible' | 'halfDone' | 'stale' | 'waiting'> {
  const ahead = aheadOf(history, view);
  const pending = neededBefore(history, view);
  const waiting = history.filter((one) => isAfter(one) && view.pending.has(one.id)).map(({ id }) => id);
  const strange =
    view.foreign.length > ahead.length ||
    view.changed.length > 0 ||
    pending.length > 0 ||
    halfDone(view).size > 0;
  return {
    ahead: view.foreign.map(({ id }) => id),
    pending,
    halfDone: [...halfDone(view).keys()],
    stale: [...view.stale],
    ...(waiting.length === 0 ? {} : { waiting }),
    compatible: strange ? 'unknown' : compatibility(ahead),
  };
}

function compatibility(ahead: readonly { readonly compatible: boolean | null }[]): Verdict['compatible'] {
  if (ahead.some(({ compatible }) => compatible === false)) return 'no';
  return ahead.every(({ compatible }) => compatible === true) ? 'yes' : 'unknown';
}
