import type { LoneForm } from './lone-statement.ts';
import type { Row, Statement } from './ports.ts';

/**
 * The ledger of statements: what a migration outside a transaction has done so far. Its rows go in the moment in which
 * the migration itself is claimed, so only unfinished migrations have any.
 */
export interface LedgerEntry {
  readonly migration: string;
  readonly direction: 'up' | 'down';
  /** Place within the migration, from 1. */
  readonly number: number;
  /** Fingerprint of the statement with its values. */
  readonly digest: string;
  /** `started`: it may have taken effect. `failed`: it ended with an error after its caller was gone; nothing stays. */
  readonly state: 'started' | 'done' | 'failed';
  readonly runId: string;
  /** Rows that it inserted, updated or deleted. */
  readonly affected: number;
  readonly sqlState: string | null;
  /** What the database named beside the code: constraint, table, column; never a value. */
  readonly facts: string | null;
}

/** One statement of one migration, and the run that wants it done. */
export interface LoneOrder {
  readonly history: string;
  readonly runId: string;
  readonly token: bigint;
  readonly leaseMs: number;
  readonly migration: string;
  readonly direction: 'up' | 'down';
  readonly number: number;
  readonly digest: string;
}

export interface RecordedOrder extends LoneOrder {
  readonly statement: Statement;
  readonly lockTimeoutMs: number;
  /** An error that comes later than this is kept in the ledger, because its caller may not be there any more. */
  readonly patienceMs: number;
}

export interface WatchOrder extends LoneOrder {
  readonly form: LoneForm;
  /** How the statement begins, wherever the database shows it. */
  readonly tag: string;
  readonly inFlightMs: number;
}

/** A migration outside a transaction that is under way, and how far it is. */
export interface Unfinished {
  readonly migration: string;
  readonly direction: 'up' | 'down';
  /** Statements that are done. */
  readonly done: number;
  /** Number of a statement that was started and whose end nobody has seen yet. */
  readonly open: number | null;
}

/** The ledger's statements; part of a `Dialect`. */
export interface LedgerDialect {
  /** The entries of one migration behind a number, at most `LEDGER_PAGE` of them. */
  entries(question: {
    readonly history: string;
    readonly migration: string;
    readonly direction: 'up' | 'down';
    readonly after: number;
  }): Statement;
  /** Fence, record and effect in one call. */
  runRecorded(order: RecordedOrder): Statement;
  /** Notes that a statement is about to be sent; not where an index that it shall create is there already. */
  start(order: LoneOrder & { readonly form: LoneForm; readonly again: boolean }): Statement;
  finish(order: LoneOrder): Statement;
  /** Takes the note back: the statement provably did nothing. */
  forget(order: LoneOrder): Statement;
  /** Renews the lease and looks what became of a statement that was started. */
  watch(order: WatchOrder): Statement;
  /** Removes what an unfinished build left; `index` is a name that `watch` gave. */
  dropLeftover(index: string): string;
}

/** So many entries fit into one reply with room to spare. */
export const LEDGER_PAGE = 1_000;

/** What `watch` sees. */
export interface Sighting {
  /** It was seen at work itself, by its tag. */
  readonly seen: boolean;
  /** It is at work, or something is that might be it: a lock of its kind on its table, a session whose text we may not see. */
  readonly alive: boolean;
  /** How far a build has come, in the database's words. */
  readonly phase: string | null;
  /** A request for it can be on its way no more. */
  readonly settled: boolean;
  /** The index that it creates or drops, as the catalog shows it. */
  readonly index: { readonly name: string; readonly valid: boolean } | null;
}

export function sightingOf(row: Row): Sighting {
  const name = row['index_name'];
  const phase = row['phase'];
  return {
    seen: row['seen'] === true,
    alive: row['seen'] === true || row['locked'] === true,
    phase: typeof phase === 'string' ? phase : null,
    settled: row['settled'] === true,
    index: typeof name === 'string' ? { name, valid: row['index_valid'] === true } : null,
  };
}

/**
 * Fingerprint of a statement with its values. It tells an edited statement from the one that was done; it guards no secret.
 */
export function digestOfStatement({ sql, parameters = {} }: Statement): string {
  const values = Object.entries(parameters).map(
    ([name, value]) =>
      `${name} ${typeof value} ${value instanceof Uint8Array ? value.join() : String(value)}`,
  );
  return digestOf([sql, ...values].join('\u0000'));
}

/** Two 32-bit halves of FNV-1a over a text. */
export function digestOf(text: string): string {
  let first = 0x811c9dc5;
  let second = 0x01234567;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    first = Math.imul(first ^ unit, 0x01000193);
    second = Math.imul(second ^ (unit + at), 0x01000193);
  }
  return [first, second].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
