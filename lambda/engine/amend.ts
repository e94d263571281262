import { DatabaseFailure } from './database-failure.ts';
import type { Amendment, Dialect, JournalView, RunIdentity } from './journal.ts';
import { heldByAnother, readJournal, waitForTurn, type Asker } from './lease.ts';
import type { Migration } from './migration.ts';
import { stampedBy } from './plan.ts';
import type { Ports } from './ports.ts';

export interface AmendRequest extends Asker {
  readonly identity: RunIdentity & { readonly action: 'stamp' | 'repair' };
  readonly history: readonly Migration[];
  /** What the journal shall say (`base`, `head` or a migration's id); null keeps what the events and the bundle say. */
  readonly to: string | null;
  /** Kept in the journal. */
  readonly reason: string;
}

/** Which rows of the journal were put right; no migration ran. */
export interface Amended {
  readonly put: readonly string[];
  readonly removed: readonly string[];
  /** Half-done migrations whose statements the journal has forgotten. */
  readonly forgotten: readonly string[];
}

/**
 * Puts the journal right after a person has looked at the database. `repair` brings deleted rows back and takes over the
 * bundle's checksums; `stamp` makes the journal say that exactly the history up to `to` is applied. One statement bids,
 * writes and releases, so a lost answer is decided by reading again: then nothing is left to do.
 */
export async function amend(request: AmendRequest, ports: Ports, dialect: Dialect): Promise<Amended> {
  let sent: Amended = { put: [], removed: [], forgotten: [] };
  for (let turn = 0; ; turn += 1) {
    const view = await readJournal(request, ports, dialect);
    const corrections = correctionsOf(request, view);
    const { put, remove, forget } = corrections;
    if (put.length + remove.length + forget.length === 0) return sent;
    const amendment = {
      ...request.identity,
      ...corrections,
      reason: request.reason,
      revision: view.revision,
    };
    const outcome = heldByAnother(view, request.identity)
      ? 'not-done'
      : await send(amendment, ports, dialect);
    if (outcome !== 'not-done') sent = { put: put.map(({ id }) => id), removed: remove, forgotten: forget };
    if (outcome === 'done') return sent;
    await waitForTurn(view, request, ports, turn);
  }
}

function correctionsOf(
  { to, history }: AmendRequest,
  view: JournalView,
): Pick<Amendment, 'put' | 'remove' | 'forget'> {
  const toTake = new Set([...view.vanished, ...view.changed]);
  if (to === null) return { put: history.filter(({ id }) => toTake.has(id)), remove: [], forget: [] };
  const wanted = stampedBy(history, to);
  return {
    put: history.filter(({ id }) => wanted.has(id) && (view.pending.has(id) || toTake.has(id))),
    remove: [
      ...history
        .filter(({ id }) => !wanted.has(id) && (!view.pending.has(id) || toTake.has(id)))
        .map(({ id }) => id),
      ...view.foreign.map(({ id }) => id),
    ],
    // Whoever stamps has looked at the database: what a half-done migration left is part of what was seen.
    forget: view.unfinished.map(({ migration }) => migration),
  };
}

async function send(
  amendment: Amendment,
  ports: Ports,
  dialect: Dialect,
): Promise<'done' | 'not-done' | 'unknown'> {
  try {
    const { rows } = await ports.database.execute(dialect.amend(amendment), { rows: true });
    return rows[0]?.['amended'] === 1 ? 'done' : 'not-done';
  } catch (cause) {
    if (cause instanceof DatabaseFailure && cause.ran === 'unknown') return 'unknown';
    throw cause;
  }
}
