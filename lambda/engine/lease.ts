import { DatabaseFailure } from './database-failure.ts';
import { ForerunError } from './errors.ts';
import { statementRunning } from './failure-text.ts';
import { viewOf, type Dialect, type JournalView, type RunIdentity } from './journal.ts';
import type { RunLimits } from './limits.ts';
import type { Revision } from './migration.ts';
import type { Ports, Statement, StatementResult } from './ports.ts';
import { waitWithin } from './wait.ts';

/** First and longest pause while somebody else works, in milliseconds. */
const SHORTEST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;
/** How often a journal statement that is safe to repeat is sent when its answer gets lost. */
const ATTEMPTS = 4;

export interface Asker {
  readonly identity: RunIdentity;
  readonly history: readonly Revision[];
  /** @default none */
  readonly repeatables?: readonly Revision[];
  readonly deadlineMs: number;
  readonly limits: RunLimits;
}

/** A result as the journal keeps it. */
export const storedForm = (result: unknown): string => JSON.stringify(result, storable);

/**
 * One call on an installed journal: the lease and the difference between bundle and journal. Where the journal is not
 * there yet, it is installed and read again.
 */
export async function readJournal(
  asker: Asker,
  ports: Ports,
  dialect: Dialect,
  idle: { readonly idle?: string } = {},
): Promise<JournalView> {
  const question = {
    history: asker.identity.history,
    bundle: asker.history,
    repeatables: asker.repeatables ?? [],
    reader: asker.identity,
  };
  const view = await readOrEnd(
    dialect.read({ ...question, ...idle }),
    dialect.read(question),
    ports,
    dialect,
  );
  if (view !== null) return view;
  await install(asker.identity, ports, dialect);
  ports.tell({ note: 'installed' });
  const installed = await readOnce(dialect.read(question), ports, dialect);
  if (installed !== null) return installed;
  throw new ForerunError('journal-unreadable', {
    what: 'The journal in schema forerun is incomplete, and installing it did not mend it.',
    state: 'No migration was started.',
    next: 'Look into the schema forerun: it must belong to the migration role and hold the tables of this release.',
  });
}

async function install({ history }: RunIdentity, ports: Ports, dialect: Dialect): Promise<void> {
  try {
    await repeatable(dialect.install(history), ports);
  } catch (cause) {
    throw cause instanceof DatabaseFailure && dialect.isTorn(cause) ? tornJournal(cause) : cause;
  }
}

function tornJournal({ message }: DatabaseFailure): ForerunError {
  return new ForerunError('journal-tampered', {
    what: `Schema forerun is not whole: ${message}.`,
    state: 'No migration was started.',
    next: 'Bring the schema forerun back from a backup. Where there is none: look what is applied, drop the schema, and say what you saw with {"action":"stamp","to":"…","reason":"…","confirm":"<database>"}.',
  });
}

/** Where nothing can be written there may still be nothing to do: then the reading alone has to do. */
async function readOrEnd(
  ending: Statement,
  reading: Statement,
  ports: Ports,
  dialect: Dialect,
): Promise<JournalView | null> {
  try {
    return await readOnce(ending, ports, dialect);
  } catch (cause) {
    if (cause instanceof DatabaseFailure && dialect.isReadOnly(cause))
      return readOnce(reading, ports, dialect);
    throw cause;
  }
}

/** Null when the journal, or this history's lease in it, is not there. */
async function readOnce(statement: Statement, ports: Ports, dialect: Dialect): Promise<JournalView | null> {
  try {
    return viewOf((await repeatable(statement, ports)).rows);
  } catch (cause) {
    if (cause instanceof DatabaseFailure && dialect.lacksJournal(cause)) return null;
    throw cause;
  }
}

/** True while the lease belongs to somebody else who is alive. */
export function heldByAnother(view: JournalView, { runId }: RunIdentity): boolean {
  return view.holder !== null && view.holder.live && view.holder.runId !== runId;
}

/**
 * Bids for the lease as it was read. Null when the bid did not win: somebody wrote to the journal, somebody holds the
 * lease, or an older transaction (even one of our own, whose end got lost) is still open.
 * A lost answer is no harm: the next reading shows the lease as ours, and the next bid raises the token again.
 */
export async function bidFor(
  view: JournalView,
  { identity, limits }: Asker,
  ports: Ports,
  dialect: Dialect,
  { force }: { readonly force: boolean } = { force: false },
): Promise<bigint | null> {
  const bid = dialect.acquire({ ...identity, revision: view.revision, force, leaseMs: limits.leaseMs });
  try {
    const { rows } = await ports.database.execute(bid, { rows: true });
    const token = rows[0]?.['token'];
    return typeof token === 'bigint' ? token : null;
  } catch (cause) {
    if (cause instanceof DatabaseFailure && cause.ran === 'unknown') {
      ports.tell({ note: 'unknown', reason: cause.message });
      return null;
    }
    throw cause;
  }
}

/** Tells the journal how the run ended and frees the lease; safe to repeat, because it asks for our own token. */
export async function releaseLease(
  { history, runId }: RunIdentity,
  token: bigint,
  end: { readonly outcome: string; readonly result: unknown },
  ports: Ports,
  dialect: Dialect,
): Promise<void> {
  const release = dialect.release({
    history,
    runId,
    token,
    outcome: end.outcome,
    result: storedForm(end.result),
  });
  try {
    await repeatable(release, ports);
  } catch (cause) {
    // The run's effect is committed or rolled back already; an unreleased lease expires by itself.
    if (!(cause instanceof DatabaseFailure)) throw cause;
    ports.tell({ note: 'unknown', reason: `the lease could not be released: ${cause.message}` });
  }
}

/** The row of a run that never took the lease; without it the run has ended all the same. */
export async function noteRun(
  identity: RunIdentity,
  result: { readonly outcome: string },
  ports: Ports,
  dialect: Dialect,
): Promise<void> {
  const { outcome } = result;
  try {
    await repeatable(dialect.note({ ...identity, outcome, result: storedForm(result) }), ports);
  } catch (cause) {
    if (!(cause instanceof DatabaseFailure)) throw cause;
    ports.tell({ note: 'unknown', reason: `the row of this run could not be written: ${cause.message}` });
  }
}

/** PostgreSQL's jsonb takes neither half of a surrogate pair nor the character U+0000; a message may hold both. */
const storable = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed().replaceAll('\u0000', '') : value;

/** Waits a little, or says who stands in the way when the time is used up. */
export async function waitForTurn(
  view: JournalView,
  { deadlineMs, identity }: Asker,
  ports: Ports,
  turn: number,
): Promise<void> {
  const waited = await waitWithin(
    {
      reason: holderText(view),
      turn,
      shortestMs: SHORTEST_WAIT_MS,
      longestMs: LONGEST_WAIT_MS,
      deadlineMs,
      lease: true,
    },
    ports,
  );
  // What stands in the way may be our own: a statement of this run that outlasts it.
  if (!waited) throw view.holder?.runId === identity.runId ? statementRunning() : busy(view);
}

function busy(view: JournalView): ForerunError {
  return new ForerunError('lease-busy', {
    what: `Waited to the end of the time for ${holderText(view)}.`,
    state: 'This run changed nothing.',
    next: 'Wait until the other run has ended, then run again; the action status shows who holds the lease.',
  });
}

function holderText({ holder }: JournalView): string {
  if (holder === null) return 'an older transaction to end';
  const deploy = holder.deployId === null ? '' : ` of deploy ${holder.deployId}`;
  return `run ${holder.runId}${deploy}, which holds the lease since ${holder.since}`;
}

/** Sends a statement that does no harm when it runs twice until its answer arrives. */
export async function repeatable(statement: Statement, ports: Ports): Promise<StatementResult> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ports.database.execute(statement, { rows: true });
    } catch (cause) {
      const lost = cause instanceof DatabaseFailure && cause.ran === 'unknown';
      if (!lost || attempt === ATTEMPTS) throw cause;
      const waitMs = SHORTEST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + ports.random() / 2);
      ports.tell({ note: 'waiting', reason: cause.message, forMs: Math.round(waitMs) });
      await ports.clock.sleep(waitMs);
    }
  }
}
